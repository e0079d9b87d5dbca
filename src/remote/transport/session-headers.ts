import { withoutUndefined } from '../../platform/without-undefined.ts';
import { keepSecret } from '../../redaction/secrets.ts';
import { BadAnswerError } from '../http/errors.ts';
import type { SessionHeaders } from '../http/message-options.ts';

/** Specification 2025-11-25, Transports → Session Management: visible ASCII only. Whatever is sent back in a header is checked first (.github/SECURITY.md, attack 22). */
const SESSION_ID = /^[\x21-\x7e]+$/;
/** Versions are dates; what else a server may invent has to fit in a header. */
const PROTOCOL_VERSION = /^[\w.-]{1,64}$/;

/** What a server answered `initialize` with, as it goes back to it in each message. Throws BadAnswerError. */
export function sessionHeaders(sessionId: string | undefined, protocolVersion: unknown): SessionHeaders {
  if (sessionId !== undefined && !SESSION_ID.test(sessionId)) {
    throw new BadAnswerError('the server gave a session id that holds more than visible ASCII characters');
  }
  keepSecret(sessionId, 'session');
  const isVersion = typeof protocolVersion === 'string' && PROTOCOL_VERSION.test(protocolVersion);
  return withoutUndefined({ sessionId, protocolVersion: isVersion ? protocolVersion : undefined });
}
