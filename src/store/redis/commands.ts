import type { Random } from '../../platform/random.ts';
import type { ClientTools, RedisClient } from './client.ts';
import { ConnectionLostError } from './errors.ts';
import { FIRST_PAUSE_MS, IDLE_MS, LONGEST_PAUSE_MS } from './limits.ts';
import type { Primary } from './primary.ts';

export interface EngineTools extends ClientTools {
  readonly random: Random;
  /** Called once with what the person who runs the server should change. */
  readonly warn?: (text: string) => void;
}

/** Events for the owner of the connection. */
export interface CommandEvents {
  /** A connection exists again after one that broke or could not be made, or leads to another server than the last. */
  readonly onReturn: (client: RedisClient) => void;
  /** The connection broke. */
  readonly onLoss: () => void;
}

/** How long to wait before the next attempt, after `failures` in a row: doubled each time, with jitter, since a thousand programs may wait at once. */
export function pauseMs(failures: number, random: Random): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return longest * (0.5 + random.fraction() / 2);
}

/** The one connection for commands: opened when needed, closed when idle. */
export class Commands {
  readonly #primary: Primary;
  readonly #tools: EngineTools;
  readonly #events: CommandEvents;
  #opening: Promise<RedisClient> | undefined;
  #client: RedisClient | undefined;
  #last: RedisClient | undefined;
  #uses = 0;
  #idle = new AbortController();
  #failures = 0;
  #failure: unknown;
  #notBefore = 0;
  /** A connection was needed and could not be opened, or broke. */
  #wasLost = false;
  #isClosed = false;

  constructor(primary: Primary, tools: EngineTools, events: CommandEvents) {
    this.#primary = primary;
    this.#tools = tools;
    this.#events = events;
  }

  /** The current connection; undefined if there is none at the moment. */
  get open(): RedisClient | undefined {
    return this.#client?.isOpen ? this.#client : undefined;
  }

  /** Runs with a connection that is open when it starts. Rejects at once if an attempt to connect failed a short time ago. */
  async use<T>(run: (client: RedisClient) => Promise<T>): Promise<T> {
    const client = this.open ?? (await this.#connect());
    this.#idle.abort();
    this.#uses++;
    try {
      return await run(client);
    } finally {
      if (--this.#uses === 0) this.#closeWhenIdle(client);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#idle.abort();
    this.#client?.close();
  }

  #connect(): Promise<RedisClient> {
    this.#opening ??= this.#attempt().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #attempt(): Promise<RedisClient> {
    if (this.#isClosed) throw new ConnectionLostError('closed', { sent: false });
    if (this.#tools.clock.monotonic() < this.#notBefore) throw this.#failure;
    try {
      const client = await this.#primary.open();
      if (this.#isClosed) {
        client.close();
        throw new ConnectionLostError('closed', { sent: false });
      }
      this.#adopt(client);
      return client;
    } catch (error) {
      this.#failure = error;
      this.#failures++;
      this.#wasLost = true;
      this.#notBefore = this.#tools.clock.monotonic() + pauseMs(this.#failures, this.#tools.random);
      throw error;
    }
  }

  #adopt(client: RedisClient): void {
    const isElsewhere =
      this.#last !== undefined &&
      (this.#last.target.host !== client.target.host || this.#last.target.port !== client.target.port);
    const isReturn = this.#wasLost || isElsewhere;
    this.#client = this.#last = client;
    this.#failures = 0;
    this.#wasLost = false;
    client.onClose((reason) => {
      if (reason === IDLE || this.#isClosed) return;
      this.#wasLost = true;
      this.#events.onLoss();
    });
    if (isReturn) this.#events.onReturn(client);
  }

  #closeWhenIdle(client: RedisClient): void {
    this.#idle = new AbortController();
    this.#tools.clock.sleep(IDLE_MS, this.#idle.signal).then(
      () => this.#uses === 0 && client.close(IDLE),
      () => undefined,
    );
  }
}

const IDLE = Symbol('idle');
