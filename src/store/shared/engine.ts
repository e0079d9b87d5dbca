/**
 * All that a database has to do to be the engine of a shared store: it keeps values that are replaced whole, each by who saw its last state, and says
 * that one has changed. Everything else is decided by the functions of this folder.
 *
 * Each operation rejects with StoreAwayError when it gets no answer in the time that the engine allows itself (at most 5 s). None is ever sent twice.
 */
export interface Engine {
  /** Where it is, for messages: host and port, no password. */
  readonly place: string;
  /** The value as it is now. */
  get(cell: string): Promise<Cell>;
  /**
   * Replaces the value if its `seq` and the engine's epoch are still these; an epoch that is undefined is not compared. `tell`: wakes those who watch
   * the cell. `expiresInMs`: then the engine drops the value; absent: never. A StoreAwayError with `applied: 'maybe'` says that the value may have been replaced.
   */
  put(
    cell: string,
    body: Uint8Array,
    on: Pick<Cell, 'seq' | 'epoch'>,
    tell: boolean,
    expiresInMs?: number,
  ): Promise<Put>;
  /**
   * Whether this connection leads to the primary that the others use too: by the word of most Sentinels, else of a replica (WAIT 1) where one was seen;
   * of one server alone always. False also where nobody answers in this time. Never rejects.
   */
  isPrimary(atMostMs: number): Promise<boolean>;
  /** Whether what was put before on this connection survives the loss of the primary, as far as the engine says. Never rejects. */
  settled(atMostMs: number): Promise<boolean>;
  /**
   * Calls `onChange` after a `put` that tells, and after each new connection, since one may have been missed. May be late or miss some: whoever
   * waits looks from time to time besides. Returns the way to end it.
   */
  watch(cell: string, onChange: () => void): () => void;
  /** For `status`. Rejects with StoreAwayError. */
  describe(): Promise<EngineDescription>;
  /** Ends the connections, and lets no process wait for them. */
  close(): Promise<void>;
}

/** One value. */
export interface Cell {
  /** Counts the replacements of this value; 0: there is none. A value that was lost in a failover may have the same number again. */
  readonly seq: number;
  readonly body?: Uint8Array | undefined;
  /** The engine's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Another one when the engine may have lost acknowledged values: after a start and after a failover. Undefined: the engine cannot tell. */
  readonly epoch?: string | undefined;
}

/** `cell` of `written`: the new `seq`, the time and the epoch, without the body. Of `superseded`: the value that is there instead. */
export interface Put {
  readonly kind: 'written' | 'superseded';
  readonly cell: Cell;
}

/** What an engine says of itself; a part that it does not tell is undefined. */
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
  /** Replicas that are connected. */
  readonly replicas?: number | undefined;
  /** Such as `append-only file, every write`, `snapshots`, `none`. */
  readonly persistence?: string | undefined;
  /** What it drops when its memory is full. */
  readonly evictionPolicy?: string | undefined;
}

/** A larger value is none of ours: sealed, a record of 256 KiB with what is around it. */
export const MAX_CELL_BYTES = 300 * 1024;
