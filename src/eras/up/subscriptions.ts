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

/** What a `subscriptions/listen` asks for (specification 2026-07-28, Subscriptions → Notification Filter). */
export interface SubscriptionFilter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

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

/** The stream on which a modern server tells of changes, kept open and opened again. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  #current: AbortController | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Listens for what the filter says. Resolves when the server has agreed, and only then leaves the stream before: nothing is missed between.
   * Rejects when the server refuses; then the stream before stays.
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

  /** Resolves when the server refuses, rejects when the program is wrong; otherwise goes on until the signal aborts. */
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
            const told = acknowledged();
            // What changed while nobody listened is not told again: after each later opening the host is asked to look for itself.
            acknowledged = () => this.#announce(filter);
            return told;
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

/** Another attempt would get the same: the method or the filter is refused. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429;
}
