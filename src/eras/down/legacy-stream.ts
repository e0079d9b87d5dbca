import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { ServerEvent } from '../../remote/events/event-stream.ts';
import { backoffMs, mayPass, reconnectMs } from '../../remote/http/backoff.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import type { Transport } from '../../remote/transport/transport.ts';
import { messagesIn, type Received } from '../message/reply.ts';

/** What `listenToServer` needs. */
export interface LegacyStreamOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called with each message that the server sends outside of an answer. */
  readonly onMessage: (message: Received) => Promise<void>;
}

/**
 * Reads the stream for unsolicited messages of a legacy server (the GET stream) and reopens it whenever it ends, until the server refuses it or the
 * signal aborts.
 */
export async function listenToServer(
  options: LegacyStreamOptions,
  session: SessionHeaders,
  signal: StopSignal,
): Promise<void> {
  const { transport, clock, random, logger } = options;
  let lastEventId: string | undefined;
  for (let failures = 0; !signal.aborted; ) {
    let wish: number | undefined;
    try {
      const resume = lastEventId === undefined ? {} : { lastEventId };
      const reply = await transport.listen({ session, signal, mayRecover: false, ...resume });
      if (reply.kind === 'refused' && !mayPass(reply.refusal.status)) return;
      if (reply.kind === 'events') {
        failures = 0;
        for await (const events of reply.events) {
          for (const event of events) {
            await handOn(event, options);
            if (event.id !== undefined) lastEventId = event.id;
          }
        }
        wish = reconnectMs(reply.retryMs());
      }
    } catch (error) {
      if (signal.aborted || error instanceof BadAnswerError) return;
      if (!(error instanceof DrawbridgeError)) throw error;
      logger.debug('the server stream broke', { error: describeError(error) });
    }
    failures++;
    await clock.sleep(wish ?? backoffMs(failures, random.fraction()), signal);
  }
}

/** No request waits for these events, so one that is not a message is just dropped. */
async function handOn(event: ServerEvent, { onMessage, logger }: LegacyStreamOptions): Promise<void> {
  const read = messagesIn(event);
  if (read instanceof BadAnswerError) {
    logger.warn('dropped an event that is not a message', { error: describeError(read) });
    return;
  }
  for (const message of read) await onMessage(message);
}
