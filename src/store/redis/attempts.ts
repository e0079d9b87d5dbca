import type { Random } from '../../platform/random.ts';
import { Stop, type StopSignal } from '../../platform/stop.ts';
import { afterSilence, type ClientTools, type RedisClient, UNNEEDED } from './client.ts';
import { ConnectionLostError, isSilence, timedOut } from './errors.ts';
import {
  CONNECT_MS,
  DOUBT_MS,
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  LOOK_MS,
  RECONNECT_WAIT_MS,
  SENTINEL_MS,
  SILENT_PAUSE_MS,
  SILENT_WAIT_MS,
  SPREAD_MS,
} from './limits.ts';
import type { Primary } from './primary.ts';

export interface AttemptTools extends ClientTools {
  readonly random: Random;
}

interface Attempt {
  readonly client: Promise<RedisClient>;
  /** Operations wait for it until then, monotonic. */
  readonly until: number;
  readonly stop: Stop;
  /** The connection beside which it is made. */
  readonly suspect: RedisClient | undefined;
}

/** The connection beside which another one is made is well after all. */
const NOT_NEEDED = new ConnectionLostError('not needed', { sent: false });

/** How long to wait before the next attempt, after `failures` in a row: doubled each time, with jitter, since a thousand programs may wait at once. */
export function pauseMs(failures: number, random: Random): number {
  return varied(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)), random);
}

const varied = (ms: number, random: Random): number => ms * (0.5 + random.fraction() / 2);

/**
 * Opens connections, one at a time. An engine that takes connections and answers nothing must cost a caller of several operations no more than its first one:
 * those that follow fail at once, while the attempt goes on for whoever comes later.
 */
export class Attempts {
  readonly #primary: Primary;
  readonly #tools: AttemptTools;
  /** Called with each new connection, before anybody waiting gets it. */
  readonly #onOpen: (client: RedisClient) => void;
  #running: Attempt | undefined;
  /** In a row: until a command is answered. That a connection was accepted says little. */
  #failures = 0;
  #failure: unknown;
  #notBefore = 0;
  /** An answer was awaited and did not come, and no command was answered since. */
  #isSilent = false;
  /** How long the last connection took. */
  #tookMs: number | undefined;

  constructor(primary: Primary, tools: AttemptTools, onOpen: (client: RedisClient) => void) {
    this.#primary = primary;
    this.#tools = tools;
    this.#onOpen = onOpen;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** A new connection. Rejects at once if an attempt failed a short time ago, or takes longer than operations wait for it. */
  async connection(): Promise<RedisClient> {
    if (this.#running === undefined && this.#tools.clock.monotonic() < this.#notBefore) throw this.#failure;
    const { client, until } = this.#running ?? this.#start(this.#waitMs());
    return await this.#before(until, client);
  }

  /** A command on this connection was answered. */
  answered(client: RedisClient): void {
    this.#failures = 0;
    this.#isSilent = false;
    if (this.#running?.suspect === client) this.#running.stop.abort(NOT_NEEDED);
  }

  /**
   * A command on this connection has had no answer for long. If a second connection gets an answer, the first one is dead and is closed; otherwise the engine is
   * silent, and the first one keeps the rest of its time.
   */
  doubt(suspect: RedisClient): void {
    const isPaused = this.#tools.clock.monotonic() < this.#notBefore;
    if (this.#running !== undefined || this.#isSilent || isPaused) return;
    this.#isSilent = true;
    this.#start(this.#atLeast(DOUBT_MS), suspect);
  }

  /** This connection has ended. `wasSilent`: the engine was silent when it was opened. */
  lost(client: RedisClient, reason: unknown, wasSilent: boolean): void {
    if (isSilence(reason)) {
      // New connections are answered, by a proxy or by an engine that is stuck, and commands are not.
      const isStuck = wasSilent && this.#isSilent && this.#running === undefined;
      this.#isSilent = true;
      if (isStuck) this.#fail(reason);
    } else if (!client.hasAnswered) {
      // The first time another one is tried at once, also to look up a put.
      const isFirst = this.#failures === 0;
      this.#fail(new ConnectionLostError('the connection ended', { sent: false, cause: reason }));
      if (isFirst) this.#notBefore = 0;
    }
  }

  close(): void {
    this.#running?.stop.abort(new ConnectionLostError('closed', { sent: false }));
  }

  /** How long an operation waits for a new attempt. */
  #waitMs(): number {
    if (this.#isSilent) return this.#atLeast(SILENT_WAIT_MS);
    return this.#tookMs === undefined ? SENTINEL_MS + CONNECT_MS : this.#atLeast(RECONNECT_WAIT_MS);
  }

  /** A slow network is no silent engine. */
  #atLeast(ms: number): number {
    return Math.max(ms, Math.min(2 * (this.#tookMs ?? 0), CONNECT_MS));
  }

  #start(waitMs: number, suspect?: RedisClient): Attempt {
    const stop = new Stop();
    const client = this.#open(stop.signal, suspect).finally(() => {
      this.#running = undefined;
    });
    // Nobody may be waiting when it fails.
    client.catch(() => undefined);
    const attempt = { client, until: this.#tools.clock.monotonic() + waitMs, stop, suspect };
    this.#running = attempt;
    return attempt;
  }

  async #open(signal: StopSignal, suspect: RedisClient | undefined): Promise<RedisClient> {
    const { clock, random } = this.#tools;
    const heard = suspect?.heard ?? 0;
    const found = () => (suspect?.isOpen && suspect.heard > heard ? suspect : undefined);
    try {
      if (suspect !== undefined)
        await clock.sleep(LOOK_MS + random.fraction() * (SPREAD_MS - LOOK_MS), signal);
      const startedAt = clock.monotonic();
      const client = await this.#primary.open({ signal, mustAnswer: this.#isSilent });
      if (signal.aborted || found() !== undefined) {
        client.close();
        throw signal.aborted ? signal.reason : NOT_NEEDED;
      }
      this.#tookMs = clock.monotonic() - startedAt;
      suspect?.close(new ConnectionLostError('no answer, unlike on a new connection', { sent: true }));
      this.#onOpen(client);
      return client;
    } catch (error) {
      const well = found();
      this.#isSilent = well === undefined && isSilence(error);
      if (well !== undefined) return well;
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    const { clock, random } = this.#tools;
    this.#failure = error;
    this.#failures++;
    const pause = isSilence(error) ? varied(SILENT_PAUSE_MS, random) : pauseMs(this.#failures, random);
    this.#notBefore = clock.monotonic() + pause;
  }

  async #before(until: number, client: Promise<RedisClient>): Promise<RedisClient> {
    const { clock } = this.#tools;
    const timer = new Stop();
    const late = new Promise<never>((_, reject) => {
      const giveUp = () => {
        this.#isSilent = true;
        reject(timedOut(false));
      };
      const leftMs = Math.ceil(until - clock.monotonic());
      if (leftMs <= 0) giveUp();
      else void afterSilence(clock, leftMs, timer.signal, giveUp);
    });
    try {
      return await Promise.race([client, late]);
    } finally {
      timer.abort(UNNEEDED);
    }
  }
}
