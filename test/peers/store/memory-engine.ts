import { StoreAwayError } from '../../../src/store/files/store-errors.ts';
import type { Cell, Engine, EngineDescription, Put, Replaced } from '../../../src/store/shared/engine.ts';

interface Stored {
  readonly seq: number;
  readonly body: Uint8Array;
  /** By the engine's clock. */
  readonly expiresAt: number | undefined;
}

/** Where something is done to an operation: before it reaches the server, or before its answer comes back. */
export type Moment = 'before' | 'after';

/** Called for each operation; a rejection keeps it from the server, or its answer from who asked. */
export type Interceptor = (moment: Moment, operation: string, cell: string) => Promise<void>;

/**
 * The server of an engine in the memory of one process: for tests, which decide what is lost when. Each `connect` is an Engine; all of them see the
 * same values.
 */
export class MemoryServer {
  readonly #now: () => number;
  #cells = new Map<string, Stored>();
  #epoch = 1;
  readonly #asked: { readonly operation: string; readonly resolve: () => void }[] = [];
  readonly #connections = new Set<MemoryEngine>();
  /** False: nobody gets an answer. */
  isUp = true;
  /** How many operations were asked for, by name. */
  readonly operations = new Map<string, number>();
  intercept: Interceptor = async () => {};

  /** `now`: the engine's clock, milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  connect(): MemoryEngine {
    const connection = new MemoryEngine(this);
    this.#connections.add(connection);
    return connection;
  }

  forget(connection: MemoryEngine): void {
    this.#connections.delete(connection);
  }

  /** What it holds now, as a replica would have it. */
  snapshot(): ReadonlyMap<string, Stored> {
    return new Map(this.#cells);
  }

  /** A replica takes over that had come as far as `snapshot`; connections are made again. */
  failOver(snapshot: ReadonlyMap<string, Stored> = this.#cells): void {
    this.#cells = new Map(snapshot);
    this.#epoch++;
    this.isUp = true;
    for (const connection of this.#connections) connection.reconnected();
  }

  /** As FLUSHALL does it: the epoch stays. */
  empty(): void {
    this.#cells.clear();
  }

  /** Changes a byte of every value. */
  spoil(): void {
    for (const [cell, stored] of this.#cells) {
      const body = Uint8Array.from(stored.body);
      body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
      this.#cells.set(cell, { ...stored, body });
    }
  }

  read(cell: string): Cell {
    const now = this.#now();
    const stored = this.#cells.get(cell);
    const isThere = stored !== undefined && (stored.expiresAt === undefined || now < stored.expiresAt);
    return { seq: isThere ? stored.seq : 0, body: isThere ? stored.body : undefined, now, epoch: this.epoch };
  }

  replace(cell: string, body: Uint8Array, on: Replaced, tell: boolean, expiresInMs: number | undefined): Put {
    const before = this.read(cell);
    const isSame = before.seq === on.seq && (on.epoch === undefined || on.epoch === before.epoch);
    if (!isSame) return { kind: 'superseded', cell: before };
    const expiresAt = expiresInMs === undefined ? undefined : before.now + expiresInMs;
    const { next: seq = before.seq + 1 } = on;
    this.#cells.set(cell, { seq, body, expiresAt });
    if (tell) for (const connection of this.#connections) connection.told(cell);
    return { kind: 'written', cell: { seq, now: before.now, epoch: before.epoch } };
  }

  get epoch(): string {
    return `epoch-${this.#epoch}`;
  }

  /** Resolves when the next such operation is asked for. */
  asked(operation: string): Promise<void> {
    return new Promise((resolve) => this.#asked.push({ operation, resolve }));
  }

  count(operation: string): void {
    this.operations.set(operation, (this.operations.get(operation) ?? 0) + 1);
    const waiting = this.#asked.splice(0);
    for (const each of waiting) {
      if (each.operation === operation) each.resolve();
      else this.#asked.push(each);
    }
  }
}

/** A connection to a MemoryServer. */
export class MemoryEngine implements Engine {
  readonly place = 'memory:0';
  readonly #server: MemoryServer;
  readonly #watchers = new Map<string, Set<() => void>>();
  /** True: nothing of this connection comes through. */
  isCut = false;

  constructor(server: MemoryServer) {
    this.#server = server;
  }

  get(cell: string): Promise<Cell> {
    return this.#ask('get', cell, () => this.#server.read(cell));
  }

  put(cell: string, body: Uint8Array, on: Replaced, tell: boolean, expiresInMs?: number): Promise<Put> {
    return this.#ask('put', cell, () => this.#server.replace(cell, body, on, tell, expiresInMs));
  }

  async isPrimary(): Promise<boolean> {
    return this.#ask('isPrimary', '', () => true).catch(() => false);
  }

  async settled(): Promise<boolean> {
    return this.#ask('settled', '', () => true).catch(() => false);
  }

  watch(cell: string, onChange: () => void): () => void {
    const watchers = this.#watchers.get(cell) ?? new Set();
    this.#watchers.set(cell, watchers);
    // A function of its own, so that one listener may watch twice.
    const watcher = () => onChange();
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }

  async describe(): Promise<EngineDescription> {
    const { now, epoch } = await this.#ask('describe', '', () => this.#server.read(''));
    return { engine: 'memory', epoch, now, roundTripMs: 0, persistence: 'none' };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#server.forget(this);
  }

  told(cell: string): void {
    if (this.isCut || !this.#server.isUp) return;
    for (const watcher of [...(this.#watchers.get(cell) ?? [])]) queueMicrotask(watcher);
  }

  reconnected(): void {
    for (const cell of this.#watchers.keys()) this.told(cell);
  }

  async #ask<T>(operation: string, cell: string, run: () => T): Promise<T> {
    this.#server.count(operation);
    await this.#server.intercept('before', operation, cell);
    if (this.isCut || !this.#server.isUp) throw away('no');
    const answer = run();
    await this.#server.intercept('after', operation, cell);
    if (this.isCut || !this.#server.isUp) throw away(operation === 'put' ? 'maybe' : 'no');
    return answer;
  }
}

function away(applied: 'no' | 'maybe'): StoreAwayError {
  return new StoreAwayError('the shared store at memory:0 does not answer', { applied });
}
