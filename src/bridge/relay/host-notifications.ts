import { logFailure } from '../../platform/log/unexpected-error.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { ACCEPT_MS } from '../../remote/http/limits.ts';
import { ANSWER_TURN_MS } from '../timing/limits.ts';
import { callWaitMs, WaitBudget } from '../timing/wait-budget.ts';
import type { HostDelivery } from './host-delivery.ts';
import type { BridgeParts } from './parts.ts';
import type { ResponseReader } from './response-reader.ts';
import { type SendDeps, sendMessage } from './send.ts';

export interface HostNotificationsOptions {
  readonly parts: BridgeParts;
  /** Aborts when the bridge closes. */
  readonly signal: StopSignal;
  readonly send: SendDeps;
  readonly hostDelivery: HostDelivery;
  readonly responseReader: ResponseReader;
}

/** Sends the host's notifications, and its answers to the server's requests, one after the other, in the order in which the host wrote them. */
export class HostNotifications {
  readonly #options: HostNotificationsOptions;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: HostNotificationsOptions) {
    this.#options = options;
  }

  inOrder(bytes: Uint8Array): void {
    this.#queue = this.#queue.then(() => this.send(bytes));
  }

  /** Sends an answer to a request of the server after the messages before it, but waits for those no longer than ANSWER_TURN_MS. */
  answer(bytes: Uint8Array): void {
    const before = this.#queue;
    const itsTurn = new AbortController();
    const sent = Promise.race([before, this.pause(ANSWER_TURN_MS, itsTurn.signal)]).then(() => {
      itsTurn.abort();
      return this.send(bytes);
    });
    this.#queue = before.then(() => sent);
  }

  /** Resolves when each message has been sent or given up. */
  idle(): Promise<void> {
    return this.#queue;
  }

  /** Sends one message immediately. A failure can only be logged. Never rejects. */
  async send(bytes: Uint8Array): Promise<void> {
    const { parts, signal, send, hostDelivery, responseReader } = this.#options;
    const { logger } = parts;
    try {
      const waitBudget = new WaitBudget(parts.clock, callWaitMs(parts.wait), signal);
      const limit = { ms: ACCEPT_MS, what: 'the acceptance of the message' };
      const sendResult = await sendMessage({ bytes, signal, waitBudget, limit }, send);
      if (sendResult.kind === 'failed')
        logger.warn('a notification was not delivered', { reason: sendResult.why });
      if (sendResult.kind !== 'replied') return;
      const { reply } = sendResult;
      if (reply.kind === 'message') await hostDelivery.deliver(reply.json);
      // The notification has been accepted; whatever else this stream brings must not hold up the next one.
      if (reply.kind === 'events') void responseReader.drain(reply, 'the answer to a notification');
    } catch (error) {
      if (!signal.aborted) logFailure(logger, 'a notification was not delivered', error);
    }
  }

  /** Resolves after `ms`, when `calledOff` aborts, or when the bridge closes. */
  async pause(ms: number, calledOff?: AbortSignal): Promise<void> {
    const { parts, signal: closing } = this.#options;
    // A signal for each: Node warns on stderr of a signal that more than ten wait for.
    const signal = anySignal(calledOff === undefined ? [closing] : [closing, calledOff]);
    await parts.clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
