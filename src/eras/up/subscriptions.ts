import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { notification } from '../../protocol/jsonrpc.ts';
import { answersId, type MessageId } from '../../protocol/message-id.ts';
import { backoffMs } from '../../remote/http/backoff.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import type { Reply } from '../../remote/transport/transport.ts';
import type { Channel } from '../message/channel.ts';
import { messagesOf } from '../message/reply.ts';
import { legacyNotification } from './translate.ts';

/** The filter of a `subscriptions/listen` (specification 2026-07-28, Subscriptions → Notification Filter). */
export interface SubscriptionFilter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

/** What `Subscriptions` needs. */
export interface SubscriptionsOptions {
  readonly newId: () => MessageId;
  /** Sends `subscriptions/listen` with this filter. */
  readonly open: (id: MessageId, filter: SubscriptionFilter, signal: StopSignal) => Promise<Reply>;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

/** Keeps the stream open on which a modern server announces changes, and reopens it when it ends. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  #current: AbortController | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Subscribes with a new filter. Resolves when the server has acknowledged it. Only then the previous stream is closed, so that nothing is missed
   * in between. Rejects if the server refuses; the previous stream then stays open.
   */
  async listen(filter: SubscriptionFilter, signal: StopSignal): Promise<void> {
    const own = new AbortController();
    await new Promise<void>((resolve, reject) => {
      this.#keep(filter, anySignal([signal, own.signal]), resolve).then(
        () => reject(new BadAnswerError('the server has no subscriptions')),
        reject,
      );
    });
    this.#current?.abort();
    this.#current = own;
  }

  close(): void {
    this.#current?.abort();
  }

  /** Resolves when the server refuses or the signal aborts; rejects only on a bug. */
  async #keep(filter: SubscriptionFilter, signal: StopSignal, agreed: () => void): Promise<void> {
    const { clock, random, logger } = this.#options;
    let failures = 0;
    let acknowledged: () => void | Promise<void> = agreed;
    while (!signal.aborted) {
      try {
        const id = this.#options.newId();
        const reply = await this.#options.open(id, filter, signal);
        if (reply.kind === 'refused' && isFinal(reply.refusal.status)) return;
        if (reply.kind === 'events') {
          await this.#read(reply, id, () => {
            failures = 0;
            const announced = acknowledged();
            // The server does not repeat changes that happened while no stream was open, so after each reopening everything is announced as changed.
            acknowledged = () => this.#announce(filter);
            return announced;
          });
        }
      } catch (error) {
        if (signal.aborted || error instanceof BadAnswerError) return;
        if (!(error instanceof DrawbridgeError)) throw error;
        logger.debug('a subscription broke', { error: describeError(error) });
      }
      failures++;
      try {
        await clock.sleep(backoffMs(failures, random.fraction()), signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  async #read(
    reply: Reply & { kind: 'events' },
    id: MessageId,
    agreed: () => void | Promise<void>,
  ): Promise<void> {
    for await (const { text, envelope } of messagesOf(reply)) {
      if (envelope.kind === 'response' && answersId(envelope.id, id)) {
        if (envelope.failed) throw new BadAnswerError('the server refused the subscription');
        return;
      }
      if (envelope.kind !== 'notification') continue;
      if (envelope.method === ACKNOWLEDGED) await agreed();
      else await this.#options.channel.push(legacyNotification(text));
    }
  }

  async #announce(filter: SubscriptionFilter): Promise<void> {
    const { channel } = this.#options;
    if (filter.toolsListChanged) await channel.push(notification('notifications/tools/list_changed'));
    if (filter.promptsListChanged) await channel.push(notification('notifications/prompts/list_changed'));
    if (filter.resourcesListChanged) await channel.push(notification('notifications/resources/list_changed'));
    for (const uri of filter.resourceSubscriptions ?? []) {
      await channel.push(notification('notifications/resources/updated', { uri }));
    }
  }
}

/** Whether another attempt would get the same status: the method or the filter is refused. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429;
}
