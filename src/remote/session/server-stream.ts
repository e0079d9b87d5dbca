import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { backoffMs, mayPass, reconnectMs } from '../http/backoff.ts';
import { BadAnswerError } from '../http/errors.ts';
import { RESUME_LIMIT_MS, SHORT_STREAM_MS } from '../http/limits.ts';
import type { SessionHeaders } from '../http/message-options.ts';
import { type Events, isRejection, statusOf, type Transport } from '../transport/transport.ts';
import { listenWithoutPerson } from './without-person.ts';

export interface ServerStreamOptions {
  readonly transport: Transport;
  /** Takes the data of one event. A promise that it returns is awaited before the next event is read. */
  readonly deliver: (data: Uint8Array | string) => Promise<void> | undefined;
  /** Awaited before the stream is read: a host that does not read slows the server down. */
  readonly beforeBody?: () => Promise<void> | undefined;
  readonly clock: Clock;
  readonly fraction: () => number;
  readonly logger: Logger;
  readonly signal: StopSignal;
  /** Called when the server says that the session no longer exists. */
  readonly onLost: (session: SessionHeaders) => void;
  /** Called when nothing more can come over this session's stream: it ended for good, or has been interrupted for too long. */
  readonly onSilenced: (session: SessionHeaders) => void;
}

/**
 * The stream over which the server speaks by itself (specification 2025-11-25, Transports → Listening for Messages from the Server). It is opened
 * beside the messages, never before them. A server that refuses the stream has none; a stream that the server closes is opened again.
 */
export class ServerStream {
  readonly #options: ServerStreamOptions;
  #current: AbortController | undefined;
  /** Ends the exchange that is open now; the next one then begins. */
  #exchange: AbortController | undefined;
  /** The session whose stream is open, or is being opened. */
  #session: SessionHeaders | undefined;
  /** Stops the timer that measures how long the stream has been interrupted. */
  #away: AbortController | undefined;
  /** The stream has been interrupted for too long. */
  #isSilent = false;

  constructor(options: ServerStreamOptions) {
    this.#options = options;
  }

  /** Whether a message may still come over this session's stream. */
  mayBring(session: SessionHeaders): boolean {
    return this.#session === session && !this.#isSilent;
  }

  /** The stream's connection may be dead: the stream is opened again at once, after the last event that was received. */
  reopen(): void {
    this.#exchange?.abort();
  }

  /** Listens to this session's stream, and no longer to an earlier session's. Never rejects. */
  async listen(session: SessionHeaders): Promise<void> {
    this.#current?.abort();
    const own = new AbortController();
    this.#current = own;
    this.#silence(this.#session);
    this.#session = session;
    this.#isAway(session);
    try {
      await this.#listen(session, own);
    } finally {
      this.#silence(session);
    }
  }

  /** Listens no longer. */
  stop(): void {
    this.#current?.abort();
    this.#silence(this.#session);
  }

  #silence(session: SessionHeaders | undefined): void {
    if (session === undefined || this.#session !== session) return;
    this.#session = undefined;
    this.#isThere();
    if (!this.#options.signal.aborted) this.#options.onSilenced(session);
  }

  #isThere(): void {
    this.#away?.abort();
    this.#away = undefined;
    this.#isSilent = false;
  }

  #isAway(session: SessionHeaders): void {
    if (this.#away !== undefined || this.#session !== session) return;
    const back = new AbortController();
    this.#away = back;
    const { clock, signal, onSilenced } = this.#options;
    clock.sleep(RESUME_LIMIT_MS, anySignal([signal, back.signal])).then(
      () => {
        this.#isSilent = true;
        onSilenced(session);
      },
      // It is back, or nobody waits for it any more.
      () => undefined,
    );
  }

  async #listen(session: SessionHeaders, own: AbortController): Promise<void> {
    const listening = anySignal([this.#options.signal, own.signal]);
    const { clock, fraction, logger } = this.#options;
    let lastEventId: string | undefined;
    let failures = 0;
    let fruitless = 0;
    let wasOpen = false;
    for (;;) {
      let wish: number | undefined;
      this.#exchange = new AbortController();
      const signal = anySignal([listening, this.#exchange.signal]);
      try {
        const { transport, beforeBody } = this.#options;
        const reply = await listenWithoutPerson(transport, { session, signal, beforeBody, lastEventId });
        if (reply.kind !== 'events') {
          const status = isRejection(reply) ? statusOf(reply) : 202;
          if (status === 404 && session.sessionId !== undefined) {
            // The first 404 in a session says that the server has no stream: many say so in place of 405, and have the session all the same.
            const isOver = wasOpen || (reply.kind === 'refused' && reply.refusal.sessionIsOver === true);
            if (isOver) return this.#options.onLost(session);
          }
          if (!mayPass(status)) return logger.debug('the server has no stream of its own', { status });
          failures++;
        } else {
          this.#isThere();
          wasOpen = true;
          failures = 0;
          const opened = clock.monotonic();
          const read = await this.#read(reply, signal);
          lastEventId = read.lastEventId ?? lastEventId;
          const soon = clock.monotonic() - opened < SHORT_STREAM_MS;
          fruitless = soon && read.events === 0 ? fruitless + 1 : 0;
          // The server's own `retry` is respected. A server that closes each stream without a message is asked less and less often.
          const asked = reply.retryMs();
          wish =
            asked === undefined && fruitless > 1 ? backoffMs(fruitless + 1, fraction()) : reconnectMs(asked);
        }
      } catch (error) {
        if (listening.aborted) return;
        if (error instanceof BadAnswerError)
          return logger.debug('the server has no stream of its own', { error: error.message });
        if (!(error instanceof DrawbridgeError) && !signal.aborted) throw error;
        logger.debug('the server stream broke', { error: describeError(error) });
        failures++;
      } finally {
        this.#isAway(session);
      }
      if (listening.aborted) return;
      try {
        if (signal.aborted) continue;
        await clock.sleep(wish ?? backoffMs(failures, fraction()), signal);
      } catch (error) {
        if (listening.aborted) return;
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Delivers events until the stream ends. Returns the id of the last event that the host has, and how many events there were. */
  async #read(
    reply: Events,
    signal: StopSignal,
  ): Promise<{ readonly lastEventId: string | undefined; readonly events: number }> {
    let lastEventId: string | undefined;
    let count = 0;
    try {
      for await (const events of reply.events) {
        for (const { id, data } of events) {
          if (data !== '') await this.#options.deliver(data);
          if (id !== undefined) lastEventId = id;
          count++;
        }
      }
    } catch (error) {
      if (!(error instanceof DrawbridgeError) && !signal.aborted) throw error;
      this.#options.logger.debug('the server stream broke', { error: describeError(error) });
    }
    return { lastEventId, events: count };
  }
}
