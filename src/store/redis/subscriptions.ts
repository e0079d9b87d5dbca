import { type AttemptTools, pauseMs } from './attempts.ts';
import type { RedisClient } from './client.ts';
import { COMMAND_MS, LATER_MS, PING_MS } from './limits.ts';
import type { Primary } from './primary.ts';

type Listener = () => void;

/**
 * The listeners of each cell, and the connection on which the server reports changes: in RESP2, a connection with subscriptions takes no other commands.
 * It is open while there are listeners, and is opened again when it breaks.
 */
export class Subscriptions {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #primary: Primary;
  readonly #tools: AttemptTools;
  readonly #stop = new AbortController();
  #client: RedisClient | undefined;
  #isRunning = false;
  #wasRunning = false;

  constructor(primary: Primary, tools: AttemptTools) {
    this.#primary = primary;
    this.#tools = tools;
  }

  /** Calls `listener` when the cell has changed, or may have: once the subscription is active, and after each reconnection. Returns a function that ends it. */
  add(cell: string, listener: Listener): () => void {
    const known = this.#listeners.get(cell);
    const listeners = known ?? new Set();
    // One listener may watch twice, and ends each watch separately.
    const own = () => listener();
    listeners.add(own);
    this.#listeners.set(cell, listeners);
    if (known === undefined && this.#client !== undefined) void this.#subscribe(this.#client, [cell]);
    if (!this.#isRunning) void this.#run();
    return () => this.#remove(cell, own);
  }

  tellAll(): void {
    for (const cell of [...this.#listeners.keys()]) this.#tell(cell);
  }

  /** Pings the server; without a reply the connection is replaced. */
  check(): void {
    // `send` ends the connection if no reply comes.
    this.#client?.send('ping', [], COMMAND_MS).catch(() => undefined);
  }

  /** The primary is there now: a connection to another server is replaced. */
  follow({ target }: RedisClient): void {
    const own = this.#client?.target;
    if (own !== undefined && (own.host !== target.host || own.port !== target.port)) this.#client?.close();
  }

  close(): void {
    this.#listeners.clear();
    this.#stop.abort();
    this.#client?.close();
  }

  #remove(cell: string, own: Listener): void {
    const listeners = this.#listeners.get(cell);
    if (listeners?.delete(own) !== true || listeners.size > 0) return;
    this.#listeners.delete(cell);
    if (this.#listeners.size === 0) this.#client?.close();
    else this.#client?.send('unsubscribe', [cell], COMMAND_MS).catch(() => undefined);
  }

  #tell(cell: string): void {
    for (const listener of [...(this.#listeners.get(cell) ?? [])]) listener();
  }

  /** Runs while there are listeners. Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    // Whoever waits looks by itself too, and every listener is called once the first subscription is active.
    if (!this.#wasRunning) await this.#pause(LATER_MS);
    this.#wasRunning = true;
    for (let failures = 0; this.#listeners.size > 0 && !this.#stop.signal.aborted; ) {
      try {
        await this.#listen(() => {
          failures = 0;
        });
      } catch {
        // Callers of the store get the error from their own operation.
      }
      failures++;
      if (this.#listeners.size > 0) await this.#pause(pauseMs(failures, this.#tools.random));
    }
    this.#isRunning = false;
  }

  /** Runs one connection until it ends. */
  async #listen(onHeard: () => void): Promise<void> {
    const client = await this.#primary.open({ signal: this.#stop.signal });
    this.#client = client;
    const ended = new AbortController();
    client.onClose(() => ended.abort());
    try {
      client.onMessage((cell) => this.#tell(cell));
      await this.#subscribe(client, [...this.#listeners.keys()]);
      if (client.isOpen) onHeard();
      while (client.isOpen && this.#listeners.size > 0) {
        await this.#tools.clock.sleep(PING_MS, ended.signal);
        await client.send('ping', [], COMMAND_MS);
      }
    } finally {
      client.close();
      this.#client = undefined;
    }
  }

  /** Puts before the subscription became active were not reported: listeners have to look. Never rejects. */
  async #subscribe(client: RedisClient, cells: readonly string[]): Promise<void> {
    try {
      if (cells.length > 0) await client.send('subscribe', cells, COMMAND_MS);
      for (const cell of cells) this.#tell(cell);
    } catch (error) {
      client.close(error);
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#tools.clock.sleep(ms, this.#stop.signal).catch(() => undefined);
  }
}
