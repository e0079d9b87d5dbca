import type { Logger } from '../../platform/log/logger.ts';
import { INITIALIZED_MS } from '../http/limits.ts';
import type { MessageOptions } from '../http/message-options.ts';
import {
  isRejection,
  type ListenOptions,
  type Reply,
  statusOf,
  type Transport,
} from '../transport/transport.ts';

/** A reply to a message for which a token could be obtained. */
export type AuthorizedReply = Exclude<Reply, { kind: 'no-token' }>;

/**
 * Sends what the host has not asked for at this moment. A 401 comes back as it is, since no person may be asked because of a timer (src/README.md,
 * promise 2): what it asks for, the next message of the host will do. Rejects as `post`, or with the reason why no token could be obtained.
 */
export async function postWithoutPerson(
  transport: Transport,
  body: Uint8Array | string,
  options: MessageOptions,
): Promise<AuthorizedReply> {
  return authorized(await transport.post(body, { ...options, mayRecover: false }));
}

/** As `postWithoutPerson`, for the server's own stream and for one that is resumed. */
export async function listenWithoutPerson(
  transport: Transport,
  options: ListenOptions,
): Promise<AuthorizedReply> {
  return authorized(await transport.listen({ ...options, mayRecover: false }));
}

/**
 * Sends `notifications/initialized` (specification 2025-11-25, Lifecycle → Initialization) and resolves when the server has accepted it or refused it.
 * A refusal is only logged: the next message meets it again.
 */
export async function sendInitialized(
  transport: Transport,
  body: Uint8Array | string,
  options: MessageOptions,
  logger: Logger,
): Promise<void> {
  const limit = { ms: INITIALIZED_MS, what: 'the acceptance of notifications/initialized' };
  const reply = await postWithoutPerson(transport, body, { ...options, limit });
  if (isRejection(reply)) {
    logger.warn('the server refused notifications/initialized', { status: statusOf(reply) });
  }
}

function authorized(reply: Reply): AuthorizedReply {
  if (reply.kind === 'no-token') throw reply.error;
  return reply;
}
