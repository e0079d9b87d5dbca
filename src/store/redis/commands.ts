import { Stop } from '../../platform/stop.ts';
import { Attempts, type AttemptTools } from './attempts.ts';
import { type RedisClient, UNNEEDED } from './client.ts';
import { ConnectionLostError, EngineRefusal } from './errors.ts';
import { IDLE_MS } from './limits.ts';
import type { Primary } from './primary.ts';

export interface EngineTools extends AttemptTools {
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

/** The one connection for commands: opened when needed, closed when idle. */
export class Commands {
  readonly #attempts: Attempts;
  readonly #tools: EngineTools;
  readonly #events: CommandEvents;
  #client: RedisClient | undefined;
  #last: RedisClient | undefined;
  #uses = 0;
  #idle = new Stop();
  /** A connection was needed and could not be opened, or broke. */
  #wasLost = false;
  #isClosed = false;

  constructor(primary: Primary, tools: EngineTools, events: CommandEvents) {
    this.#attempts = new Attempts(primary, tools, (client) => this.#adopt(client));
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
    this.#idle.abort(UNNEEDED);
    this.#uses++;
    try {
      const result = await run(client);
      this.#attempts.answered(client);
      return result;
    } catch (error) {
      if (error instanceof EngineRefusal) this.#attempts.answered(client);
      throw error;
    } finally {
      if (--this.#uses === 0) this.#closeWhenIdle();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#idle.abort(UNNEEDED);
    this.#attempts.close();
    this.#client?.close();
  }

  async #connect(): Promise<RedisClient> {
    if (this.#isClosed) throw new ConnectionLostError('closed', { sent: false });
    try {
      return await this.#attempts.connection();
    } catch (error) {
      this.#wasLost = true;
      throw error;
    }
  }

  #adopt(client: RedisClient): void {
    const isElsewhere =
      this.#last !== undefined &&
      (this.#last.target.host !== client.target.host || this.#last.target.port !== client.target.port);
    const isReturn = this.#wasLost || isElsewhere;
    this.#client = this.#last = client;
    this.#wasLost = false;
    const wasSilent = this.#attempts.isSilent;
    client.onDoubt(() => this.#client === client && this.#attempts.doubt(client));
    client.onClose((reason) => {
      if (reason === IDLE || this.#isClosed) return;
      this.#wasLost = true;
      this.#attempts.lost(client, reason, wasSilent);
      this.#events.onLoss();
    });
    // The operation for which it was opened may have given up.
    if (this.#uses === 0) this.#closeWhenIdle();
    if (isReturn) this.#events.onReturn(client);
  }

  #closeWhenIdle(): void {
    this.#idle.abort(UNNEEDED);
    this.#idle = new Stop();
    this.#tools.clock.sleep(IDLE_MS, this.#idle.signal).then(
      () => this.#uses === 0 && this.#client?.close(IDLE),
      () => undefined,
    );
  }
}

const IDLE = Symbol('idle');
