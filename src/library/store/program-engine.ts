import type { Clock } from '../../platform/clock.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { StoreAwayError } from '../../store/files/store-errors.ts';
import type { Cell, Engine, EngineDescription, Put, Replaced } from '../../store/shared/engine.ts';
import type { LoginStore } from '../interface/store-interface.ts';

/** The time limit of an engine. */
const ANSWER_MS = 5_000;
const PLACE = "the program's own store";

/** The contents of a stored text. */
interface Stored {
  readonly seq: number;
  /** By the clock of the machine that wrote it, milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly body: Uint8Array;
}

/**
 * A program's own store as an engine of a shared store: the texts count their own replacements, and the store compares its version. Its clock is this
 * machine's. It reports no changes: a waiting process looks from time to time.
 */
export class ProgramEngine implements Engine {
  readonly place = PLACE;
  readonly #store: LoginStore;
  readonly #clock: Clock;

  constructor(store: LoginStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async get(cell: string): Promise<Cell> {
    return (await this.#read(cell)).cell;
  }

  async put(
    cell: string,
    body: Uint8Array,
    { seq: seen, next: seq = seen + 1 }: Replaced,
    _tell: boolean,
    expiresInMs?: number,
  ): Promise<Put> {
    const before = await this.#read(cell);
    if (before.cell.seq !== seen) return { kind: 'superseded', cell: before.cell };
    const expiresAt = expiresInMs === undefined ? undefined : this.#clock.now() + expiresInMs;
    const text = JSON.stringify({ seq, expiresAt, body: Buffer.from(body).toString('base64') });
    const written = await this.#ask('maybe', () => this.#store.write(cell, text, before.version));
    if (written === true) return { kind: 'written', cell: { seq, now: this.#clock.now() } };
    return { kind: 'superseded', cell: await this.get(cell) };
  }

  async isPrimary(): Promise<boolean> {
    return true;
  }

  async settled(): Promise<boolean> {
    return true;
  }

  watch(): () => void {
    return () => {};
  }

  async describe(): Promise<EngineDescription> {
    const before = this.#clock.monotonic();
    const { now } = await this.get('describe');
    return { engine: PLACE, roundTripMs: this.#clock.monotonic() - before, now };
  }

  async close(): Promise<void> {}

  async #read(cell: string): Promise<{ readonly cell: Cell; readonly version: string | undefined }> {
    const found = await this.#ask('no', () => this.#store.read(cell));
    const now = this.#clock.now();
    if (found === undefined || found === null) return { cell: { seq: 0, now }, version: undefined };
    const { value, version } = found;
    const stored = parsed(value);
    if (stored === undefined || typeof version !== 'string') {
      throw new StoreAwayError(`${PLACE} has something else than a login under ${cell}`, { applied: 'no' });
    }
    const isOver = stored.expiresAt !== undefined && now >= stored.expiresAt;
    return { cell: isOver ? { seq: 0, now } : { seq: stored.seq, body: stored.body, now }, version };
  }

  async #ask<T>(applied: 'no' | 'maybe', ask: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const late = this.#clock.sleep(ANSWER_MS, over.signal).then(() => {
      throw new StoreAwayError(`${PLACE} did not answer within ${ANSWER_MS / 1000} seconds`, { applied });
    });
    try {
      return await Promise.race([ask(), late]);
    } catch (cause) {
      if (cause instanceof StoreAwayError) throw cause;
      throw new StoreAwayError(`${PLACE} failed`, { cause, applied });
    } finally {
      over.abort();
      late.catch(() => 'the answer came first');
    }
  }
}

function parsed(text: unknown): Stored | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    if (!isObject(value)) return undefined;
    const { seq, expiresAt, body } = value;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || typeof body !== 'string')
      return undefined;
    return {
      seq,
      body: Buffer.from(body, 'base64'),
      expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    };
  } catch {
    return undefined;
  }
}
