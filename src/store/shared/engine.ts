/**
 * What a database has to do to be the engine of a shared store: it stores values that are replaced as a whole, only by a writer that saw their latest state,
 * and notifies of changes. Everything else is decided by the functions of this folder. Each operation rejects with StoreAwayError if it gets no reply within
 * the engine's own time limit (at most 5 s). None is ever sent twice.
 */
export interface Engine {
  /** Where it is, for messages: host and port, no password. */
  readonly place: string;
  /** The current value. */
  get(cell: string): Promise<Cell>;
  /**
   * Replaces the value if its `seq` and the engine's epoch are still these. `tell`: notifies watchers of the cell.
   * `expiresInMs`: when the engine drops the value; absent: never. A StoreAwayError with `applied: 'maybe'` says that the value may have been replaced.
   */
  put(cell: string, body: Uint8Array, on: Replaced, tell: boolean, expiresInMs?: number): Promise<Put>;
  /**
   * Whether this connection leads to the same primary as the others': confirmed by most Sentinels, otherwise by a replica (WAIT 1) if one was seen; a single
   * server alone is always primary. False also if nothing answers in this time. Never rejects.
   */
  isPrimary(atMostMs: number): Promise<boolean>;
  /** Whether earlier puts on this connection survive the loss of the primary, as far as the engine says. Never rejects. */
  settled(atMostMs: number): Promise<boolean>;
  /**
   * Calls `onChange` after a `put` that notifies, and after each new connection, since a notification may have been missed. It may be late or miss some:
   * callers also have to look from time to time. Returns a function that ends it.
   */
  watch(cell: string, onChange: () => void): () => void;
  /** For `status`. Rejects with StoreAwayError. */
  describe(): Promise<EngineDescription>;
  /** Closes the connections; no process waits for them. */
  close(): Promise<void>;
}

/** One value. */
export interface Cell {
  /** Becomes larger with each replacement of this value; 0: there is none. After a failover a lost value's number may occur again. */
  readonly seq: number;
  readonly body?: Uint8Array | undefined;
  /** The engine's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Changes when the engine may have lost acknowledged values: after a restart and after a failover. Undefined: the engine does not say. */
  readonly epoch?: string | undefined;
}

/** The state of a value that a writer has seen, and replaces. */
export interface Replaced {
  readonly seq: number;
  /** Undefined: is not compared. */
  readonly epoch?: string | undefined;
  /** The `seq` of the new value, larger than this one; absent: the next number. */
  readonly next?: number | undefined;
}

/**
 * The `seq` of the value that replaces this one. Where there is none it is the engine's time: an engine that was emptied keeps its epoch, and numbers that began
 * with 1 again would let a process that was suspended meanwhile replace a value that it has never seen.
 */
export function nextSeq(seq: number, engineNow: number): number {
  return seq === 0 ? Math.max(1, Math.floor(engineNow)) : seq + 1;
}

/** `cell` of `written`: the new `seq`, the time and the epoch, without the body. Of `superseded`: the current value. */
export interface Put {
  readonly kind: 'written' | 'superseded';
  readonly cell: Cell;
}

/** What an engine reports about itself; unknown parts are undefined. */
export interface EngineDescription {
  /** Name and version, such as `redis 7.0.15`. */
  readonly engine: string;
  readonly role?: string | undefined;
  readonly epoch?: string | undefined;
  /** For how long it has run, in milliseconds: its epoch is no older. */
  readonly upForMs?: number | undefined;
  readonly roundTripMs: number;
  /** The engine's clock. */
  readonly now: number;
  /** The number of connected replicas. */
  readonly replicas?: number | undefined;
  /** What it writes to disk, in words: `append-only file, snapshots (3 since its start)`. */
  readonly persistence?: string | undefined;
  /** Whether it has written anything to disk since its start, or does so with each change. */
  readonly isPersistent?: boolean | undefined;
  /** What it evicts when its memory is full. */
  readonly evictionPolicy?: string | undefined;
}

/** A larger value is not ours: a sealed record of 256 KiB and its envelope. */
export const MAX_CELL_BYTES = 300 * 1024;
