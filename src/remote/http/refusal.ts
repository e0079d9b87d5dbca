import type { ErrorDetails } from '../../errors.ts';
import { isBatch, parseMessage } from '../../protocol/jsonrpc.ts';
import { answersId, type MessageId } from '../../protocol/message-id.ts';
import { plainText } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { retryAfterMs } from './backoff.ts';
import { HttpStatusError } from './errors.ts';
import { MAX_EXCERPT_BYTES, MAX_SESSION_WORDS_CHARACTERS } from './limits.ts';

/** A status other than 200 and 202, with its relevant details. */
export interface Refusal {
  readonly status: number;
  readonly contentType: string;
  readonly wwwAuthenticate: BearerChallenge | undefined;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  readonly body: Uint8Array;
  /** The body broke off, was too slow, or is not coded as it says: `body` is what came before that. */
  readonly isCut?: true;
  /** The result of the other transport, if that was tried after this. */
  readonly alsoTried?: string;
  /** Made by the transport itself, which knows that its session is over. */
  readonly sessionIsOver?: true;
}

/** What a refusal means for the message that was refused. */
export type RejectionKind =
  /** 401: the message was not run; authorization may help. */
  | { readonly kind: 'unauthorized' }
  /** 403 `insufficient_scope` (RFC 6750 §3.1): not run; a person may allow more. */
  | { readonly kind: 'scope-needed'; readonly error: HttpStatusError }
  /**
   * 404 to a message that carried a session id (specification, Session Management), or 400 that says as much, with a body that does not carry the
   * id of the message: the session is gone, the message was not run.
   */
  | { readonly kind: 'session-lost' }
  /** 429 or 503 with a usable `Retry-After`: not run, wanted later. */
  | { readonly kind: 'retry-after'; readonly afterMs: number }
  /** The gateway currently has no server. The message may have run. */
  | { readonly kind: 'unreachable'; readonly error: HttpStatusError }
  /** The server's own answer to this message, for the host as it came. Where it says that the session is gone, it is for the next message. */
  | { readonly kind: 'answer'; readonly json: Uint8Array; readonly sessionIsGone: boolean }
  /** Where `sessionIsGone`, the next message needs a new session, and this one may have run in the old one. */
  | {
      readonly kind: 'failed';
      readonly error: HttpStatusError;
      readonly mayHaveRun: boolean;
      readonly sessionIsGone: boolean;
    };

export interface RefusalContext {
  readonly hadSession: boolean;
  /** Of the message that was refused; a notification has none. */
  readonly id: MessageId | undefined;
  readonly now: number;
}

/**
 * Statuses of a message that was refused for what the server saw of it before it looked for anything to run: RFC 9110 §15.5 (403 to 426), RFC 6585
 * (429, 431); 307 and 308 want the same message at another address (RFC 9110 §15.4.8, §15.4.9). 406 is not one of them: it is about the answer,
 * and frameworks say it when they are to write what a handler returned.
 */
const REFUSED_UNREAD = new Set([307, 308, 403, 404, 405, 413, 414, 415, 421, 426, 429, 431]);

/**
 * Statuses with which servers answer a message of a kind that they do not know: of the other transport (specification 2025-11-25, Transports →
 * Backwards Compatibility), or of the other era. 401, 403, 429 and the other 5xx say nothing about that.
 */
export const UNKNOWN_MESSAGE_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 501]);

/** What a refusal means for the message that was refused. */
export function classifyRejection(refusal: Refusal, context: RefusalContext): RejectionKind {
  const { status } = refusal;
  if (status === 401) return { kind: 'unauthorized' };
  if (wantsScope(refusal)) return { kind: 'scope-needed', error: statusError(refusal) };
  const about = aboutMessage(refusal, context.id);
  const saysSo = context.hadSession && (status === 404 || status === 400) && saysSessionIsGone(refusal);
  if (about === 'answer') {
    return { kind: 'answer', json: refusal.body, sessionIsGone: saysSo && status === 404 };
  }
  const isGone = saysSo || (context.hadSession && status === 404);
  if (about === 'names-it' || about === 'unreadable') {
    const sessionIsGone = about === 'names-it' ? saysSo : isGone;
    return { kind: 'failed', error: statusError(refusal, sessionIsGone), mayHaveRun: true, sessionIsGone };
  }
  if (isGone) return { kind: 'session-lost' };
  if (status === 429 || status === 503) {
    const after = retryAfterMs(refusal.retryAfter, context.now);
    if (typeof after === 'number') return { kind: 'retry-after', afterMs: after };
  }
  const error = statusError(refusal);
  if (status === 502 || status === 503 || status === 504) return { kind: 'unreachable', error };
  return { kind: 'failed', error, mayHaveRun: !REFUSED_UNREAD.has(status), sessionIsGone: false };
}

/** Whether the next message needs a new session. */
export function endsSession(rejection: RejectionKind): boolean {
  return rejection.kind === 'session-lost' || ('sessionIsGone' in rejection && rejection.sessionIsGone);
}

/** Whether the token is good and may not do this (RFC 6750 §3.1). */
export function wantsScope({
  status,
  wwwAuthenticate,
}: Pick<Refusal, 'status' | 'wwwAuthenticate'>): boolean {
  return status === 403 && wwwAuthenticate?.error === 'insufficient_scope';
}

/**
 * What a refusal's body has to do with this very message. `names-it`: it carries the id without being an answer. `unreadable`: it may carry the id in a
 * part that did not come, or that cannot be read. A server that took the id out of the message may have run it, whatever its words and its status say.
 */
export function aboutMessage(
  { body, isCut, contentType }: Pick<Refusal, 'body' | 'isCut' | 'contentType'>,
  id: MessageId | undefined,
): 'answer' | 'names-it' | 'unreadable' | 'nothing' {
  if (id === undefined) return 'nothing';
  const about = aboutInJson(body, id);
  if (about !== 'not-json') return about;
  // Without blanks and the byte order mark.
  const text = Buffer.from(body).toString('utf8').trimStart();
  // The start of a JSON-RPC message or of a batch, cut short or with a fault.
  if (/^(?:\{\s*(?:"|$)|\[\s*(?:[[{]|$))/.test(text)) return 'unreadable';
  if (text !== '') return contentType === 'text/event-stream' ? 'unreadable' : 'nothing';
  return isCut && !PAGES.has(contentType) ? 'unreadable' : 'nothing';
}

/** Types of bodies that are for people. */
const PAGES = new Set(['text/html', 'text/plain']);

function aboutInJson(body: Uint8Array, id: MessageId): 'answer' | 'names-it' | 'nothing' | 'not-json' {
  const parsed = parseMessage(body);
  switch (parsed.kind) {
    case 'response':
    // An echo of the request carries the id, too.
    case 'request':
      if (parsed.kind === 'response' && answersId(parsed.id, id)) return 'answer';
      return isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';
    case 'batch': {
      const found = parsed.members.map((member) => (isBatch(member) ? 'names-it' : aboutInJson(member, id)));
      if (found.includes('answer')) return 'answer';
      return found.includes('names-it') ? 'names-it' : 'nothing';
    }
    case 'not-a-message':
      return parsed.id !== null && isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';
    case 'not-json':
      return 'not-json';
    default:
      return 'nothing';
  }
}

/** Includes an id that the server returns as a string instead of a number. */
function isSpeltAs(one: MessageId, other: MessageId): boolean {
  return String(JSON.parse(one)) === String(JSON.parse(other));
}

/** The code with which the SDK's servers say "Session not found". */
const SESSION_NOT_FOUND = -32_001;

/**
 * The specification wants 404; servers that keep their sessions in a map commonly say 400, and nothing but their words tells that from a message
 * that is wrong by itself. To read too much into them costs one new session, to read too little every call from then on.
 */
const SESSION_WORDS =
  /\b(no valid|invalid|unknown|expired|no such|missing)\b.{0,12}\bsession\b|\bsession\b.{0,40}\b(not found|not exist|invalid|unknown|expired|terminated|closed|not initialized)\b|\bserver not initialized\b/i;

function saysSessionIsGone({ body }: Refusal): boolean {
  const error = rpcErrorIn(body);
  if (error?.code === SESSION_NOT_FOUND) return true;
  const words = typeof error?.message === 'string' ? error.message : Buffer.from(body).toString('utf8');
  return SESSION_WORDS.test(words.slice(0, MAX_SESSION_WORDS_CHARACTERS));
}

function statusError(refusal: Refusal, sessionIsGone = false): HttpStatusError {
  const { status } = refusal;
  const words = wordsOf(refusal);
  const details: ErrorDetails & { status: number } = {
    status,
    ...(sessionIsGone
      ? { hint: 'The session has ended; the next message opens a new one.' }
      : hintFor(refusal)),
  };
  return new HttpStatusError(
    `the server answered with status ${status}${words === '' ? '' : ` and ${words}`}${refusal.alsoTried === undefined ? '' : `; ${refusal.alsoTried}`}`,
    details,
  );
}

/** The message of a JSON-RPC error without an id, or the start of whatever else came. */
function wordsOf({ body, isCut, contentType }: Refusal): string {
  if (body.length === 0) return isCut ? 'a body that cannot be read' : '';
  const message = rpcErrorIn(body)?.message;
  if (typeof message === 'string') return `the error ${excerpt(message)}`;
  return `${contentType || 'a body'}: ${excerpt(body)}${isCut ? ', which broke off' : ''}`;
}

/** The `error` of a JSON body, with an id or without: under an HTTP status servers often leave the id out, or null. */
export function rpcErrorIn(
  body: Uint8Array,
): { readonly code?: unknown; readonly message?: unknown } | undefined {
  try {
    const error: unknown = JSON.parse(Buffer.from(body).toString('utf8'))?.error;
    return typeof error === 'object' && error !== null ? error : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function hintFor({ status, location }: Refusal): { hint?: string } {
  if (status >= 300 && status < 400 && location !== undefined) {
    return {
      hint: `It points to ${excerpt(location)}, which is another origin or another method; if that is the server's new address, use it instead.`,
    };
  }
  if (status === 404 || status === 405) {
    return { hint: 'Check that the address is that of the MCP endpoint itself, with its path.' };
  }
  if (status === 403) return { hint: 'You are known to the server but not allowed to do this.' };
  return {};
}

/** A server's text in a form that may be shown, in quotes and without secrets; empty if nothing of it may be shown. */
export function excerpt(text: Uint8Array | string): string {
  const start =
    typeof text === 'string' ? text : Buffer.from(text.subarray(0, MAX_EXCERPT_BYTES)).toString('utf8');
  const clean = plainText(start);
  return clean === '' ? '' : JSON.stringify(clean);
}
