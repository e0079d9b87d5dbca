import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { backoffMs, reconnectMs } from '../http/backoff.ts';
import { BadAnswerError } from '../http/errors.ts';
import { RESUME_LIMIT_MS } from '../http/limits.ts';
import {
  type Events,
  isRejection,
  type ListenOptions,
  statusOf,
  type Transport,
} from '../transport/transport.ts';
import { listenWithoutPerson } from './without-person.ts';

export interface ResumeDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ResumeOptions extends Pick<ListenOptions, 'session' | 'signal' | 'beforeBody'> {
  readonly lastEventId: string;
  /** The pause that the server asked for, in milliseconds, if it did. */
  readonly retryMs: number | undefined;
}

/**
 * Takes up a stream that broke after its last event (specification 2025-11-25, Transports → Resumability and Redelivery). Undefined: the server
 * refuses, or could not be reached for RESUME_LIMIT_MS. Rejects with the signal's reason, or when the program is wrong.
 */
export async function resumeStream(deps: ResumeDeps, options: ResumeOptions): Promise<Events | undefined> {
  const { transport, clock, random, logger } = deps;
  const { session, signal, beforeBody, lastEventId, retryMs } = options;
  const end = clock.monotonic() + RESUME_LIMIT_MS;
  for (let attempt = 0; clock.monotonic() < end; attempt++) {
    await clock.sleep(attempt === 0 ? reconnectMs(retryMs) : backoffMs(attempt, random.fraction()), signal);
    try {
      const reply = await listenWithoutPerson(transport, { session, signal, lastEventId, beforeBody });
      if (reply.kind === 'events') return reply;
      logger.debug('resuming was refused', isRejection(reply) ? { status: statusOf(reply) } : {});
      return undefined;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof BadAnswerError || error instanceof AbortedError) return undefined;
      if (!(error instanceof DrawbridgeError)) throw error;
      logger.debug('resuming failed', { attempt, error: describeError(error) });
    }
  }
  return undefined;
}
