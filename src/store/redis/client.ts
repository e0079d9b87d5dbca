import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.ts';
import type { Dial, DialTarget } from '../../platform/dial.ts';
import { Stop, type StopSignal } from '../../platform/stop.ts';
import { BadReplyError, ConnectionLostError, EngineRefusal, timedOut } from './errors.ts';
import { DOUBT_MS } from './limits.ts';
import { type Reply, Wire } from './wire.ts';

export type { Reply } from './wire.ts';

export interface ClientOptions {
  readonly target: DialTarget;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** For the whole connection setup: TCP, TLS, authentication. Milliseconds. */
  readonly connectMs: number;
  /** Asks the server for an answer, of any kind, even if nothing else does: a suspended server accepts connections. */
  readonly mustAnswer?: boolean;
  /** Gives up the attempt. */
  readonly signal?: StopSignal | undefined;
}

export interface ClientTools {
  readonly dial: Dial;
  readonly clock: Clock;
}

/** Why a timer that is no longer needed ends; an error for each would cost more than the timer. */
export const UNNEEDED = Symbol('unneeded');

/** One connection to a server of Redis or Valkey, or to a Sentinel. */
export class RedisClient {
  readonly target: DialTarget;
  /** A put was sent on this connection, so WAIT on it is meaningful. */
  hasWritten = false;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #closed = new Stop();
  #onDoubt: (() => void) | undefined;
  #onMessage: ((channel: string) => void) | undefined;
  /** Until then the server may be busy with a WAIT of this connection, monotonic. */
  #waitsUntil = 0;
  /** The callers that wait for a reply. The library drops a command whose reply it cannot parse. */
  readonly #waiting = new Set<(reason: Error) => void>();
  #reason: unknown;

  private constructor(target: DialTarget, socket: Socket, clock: Clock) {
    this.target = target;
    this.#clock = clock;
    this.#wire = new Wire(
      socket,
      (reason) => this.close(reason),
      (channel) => this.#onMessage?.(channel),
    );
  }

  /** Connects and authenticates. Rejects with ConnectionLostError, BadReplyError or EngineRefusal; then nothing is left open. */
  static async open(options: ClientOptions, { dial, clock }: ClientTools): Promise<RedisClient> {
    const { target, user, password, database, connectMs, mustAnswer = false, signal } = options;
    const stop = new Stop();
    const timer = new Stop();
    const giveUp = () => stop.abort(signal?.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    void afterSilence(clock, connectMs, timer.signal, () => stop.abort(timedOut(true)));
    try {
      const socket = await dial(target, stop.signal);
      const client = new RedisClient(target, socket, clock);
      stop.signal.addEventListener('abort', () => client.close(stop.signal.reason), { once: true });
      try {
        await Promise.all([
          client.#authenticate(user, password, connectMs),
          ...(database === 0 ? [] : [client.send('SELECT', [database], connectMs)]),
        ]);
        if (mustAnswer && !client.hasAnswered) await client.send('PING', [], connectMs).catch(unlessLost);
        return client;
      } catch (error) {
        client.close(error);
        throw error;
      }
    } catch (error) {
      throw expected(stop.signal.aborted ? stop.signal.reason : error);
    } finally {
      timer.abort(UNNEEDED);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  get isOpen(): boolean {
    return !this.#closed.signal.aborted && this.#wire.isOpen;
  }

  /** The number of bytes that have arrived. */
  get heard(): number {
    return this.#wire.heard;
  }

  get hasAnswered(): boolean {
    return this.heard > 0;
  }

  /** Calls `listener` when a command has had no answer for so long that only DOUBT_MS of its time are left. */
  onDoubt(listener: () => void): void {
    this.#onDoubt = listener;
  }

  /** Calls `listener` once, when the connection has ended or ends. */
  onClose(listener: (reason: unknown) => void): void {
    if (this.#closed.signal.aborted) listener(this.#reason);
    else this.#closed.signal.addEventListener('abort', () => listener(this.#reason), { once: true });
  }

  /**
   * Sends one command, once. Rejects with EngineRefusal, or with ConnectionLostError, also if no reply comes within `atMostMs`: then the connection is closed,
   * since its state is unknown.
   */
  async send(
    name: string,
    words: readonly (string | number | Uint8Array)[],
    atMostMs: number,
  ): Promise<Reply> {
    if (!this.isOpen) throw new ConnectionLostError('not connected', { sent: false, cause: this.#reason });
    const timer = new Stop();
    this.#limit(atMostMs, timer.signal);
    try {
      const args = words.map((word) => (word instanceof Uint8Array ? Buffer.from(word) : word));
      return await this.#untilClosed(this.#wire.send(name, args));
    } catch (error) {
      throw this.isOpen ? expected(error) : lost(this.#reason, true);
    } finally {
      timer.abort(UNNEEDED);
    }
  }

  /** Asks for that many replicas to confirm. Commands that follow on this connection are carried out afterwards. */
  async wait(replicas: number, ms: number, roundTripMs: number): Promise<Reply> {
    this.#waitsUntil = this.#clock.monotonic() + ms;
    try {
      return await this.send('WAIT', [replicas, ms], roundTripMs + DOUBT_MS);
    } finally {
      this.#waitsUntil = 0;
    }
  }

  /** From now on this connection only takes subscriptions (RESP2). `onMessage` gets the channel of each message. */
  onMessage(listener: (channel: string) => void): void {
    this.#onMessage = listener;
  }

  /** Ends the connection at once; pending commands reject. */
  close(reason?: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#reason = reason;
    this.#closed.abort(UNNEEDED);
    this.#wire.end(reason);
    for (const give of this.#waiting) give(lost(reason, true));
  }

  #limit(atMostMs: number, signal: StopSignal): void {
    const waitsMs = Math.max(0, this.#waitsUntil - this.#clock.monotonic());
    const doubtMs = this.#onDoubt === undefined ? 0 : Math.min(DOUBT_MS, atMostMs);
    const giveUp = () => this.close(timedOut(true));
    void afterSilence(this.#clock, waitsMs + atMostMs - doubtMs, signal, () => {
      if (doubtMs === 0) return giveUp();
      this.#onDoubt?.();
      void afterSilence(this.#clock, doubtMs, signal, giveUp);
    });
  }

  async #authenticate(
    user: string | undefined,
    password: string | undefined,
    atMostMs: number,
  ): Promise<void> {
    if (user === undefined && password === undefined) return;
    try {
      await this.send('AUTH', [...(user === undefined ? [] : [user]), password ?? ''], atMostMs);
    } catch (error) {
      // Also sent by a server without a password for this user (-ERR).
      const isRefused = error instanceof EngineRefusal && error.reply === 'ERR';
      throw isRefused ? new EngineRefusal('WRONGPASS') : error;
    }
  }

  async #untilClosed<T>(answer: Promise<T>): Promise<T> {
    let giveUp: (reason: Error) => void = () => undefined;
    const closed = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    this.#waiting.add(giveUp);
    try {
      return await Promise.race([answer, closed]);
    } finally {
      this.#waiting.delete(giveUp);
    }
  }
}

/**
 * Calls `giveUp` after that time, unless the signal aborts. A process that was busy or suspended first gets to read what has arrived meanwhile: the event loop
 * runs timers before it polls connections. Never rejects.
 */
export async function afterSilence(
  clock: Clock,
  ms: number,
  signal: StopSignal,
  giveUp: () => void,
): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    return;
  }
  for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  if (!signal.aborted) giveUp();
}

/** A refusal is an answer. */
function unlessLost(error: unknown): void {
  if (!(error instanceof EngineRefusal)) throw error;
}

function lost(reason: unknown, sent: boolean): Error {
  if (reason instanceof BadReplyError) return reason;
  return new ConnectionLostError('the connection ended', { sent, cause: reason });
}

/** The library's errors contain the command with its arguments, which may include a password: only their message is kept. */
function expected(error: unknown): Error {
  if (
    error instanceof BadReplyError ||
    error instanceof ConnectionLostError ||
    error instanceof EngineRefusal
  )
    return error;
  if (error instanceof Error && error.name === 'ReplyError') return new EngineRefusal(error.message);
  return lost(error, false);
}
