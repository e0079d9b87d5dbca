import { DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type MessageId, parseMessage } from '../../protocol/jsonrpc.ts';
import { answersId } from '../../protocol/message-id.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { INITIALIZE_MS } from '../../remote/http/limits.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import { classifyRejection, excerpt, type Refusal } from '../../remote/http/refusal.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import { readInitializeResponse } from '../../remote/session/initialize-response.ts';
import { postInitialize } from '../../remote/transport/initialize-fallback.ts';
import type { Events, ServerReply, Transport } from '../../remote/transport/transport.ts';
import type { FirstContact } from './first-contact.ts';

/** The host's own `initialize`, kept to open sessions with (src/README.md, "Order and retry"). */
export interface InitializeRequest {
  readonly id: MessageId;
  readonly bytes: Uint8Array;
  readonly params: unknown;
}

/** The outcome of one attempt to open a session. */
export type InitializeOutcome =
  | {
      readonly kind: 'answered';
      readonly session: SessionHeaders;
      /** The answer as it came. */
      readonly json: Uint8Array | string;
      readonly result: JsonObject;
      /** Messages that came before the answer, and the rest of the stream after it. */
      readonly others: readonly string[];
      readonly rest: Events | undefined;
    }
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus }
  /** Worth another attempt, after `afterMs` if the server named a pause. */
  | { readonly kind: 'unreachable'; readonly error: DrawbridgeError; readonly afterMs?: number }
  /** Another attempt would get the same. `json` is the server's own JSON-RPC error. */
  | { readonly kind: 'failed'; readonly error: DrawbridgeError; readonly json?: Uint8Array | string };

export interface InitializeDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal: StopSignal;
  /** Called when `initialize` was sent, and when it was refused and a token is requested. */
  readonly contact: FirstContact;
}

/** A person has to unlock, install or set something. It is tried again only when a message needs it: keychains may prompt their owner. */
const KEYCHAIN_CODES = new Set([
  'store_moved',
  'unknown_key',
  'keychain_locked',
  'keychain_absent',
  'keychain_no_bus',
  'keychain_key_missing',
  'keychain',
]);

/** Whether the stand-in shall answer the host, since the failure is not the server's and needs no restart. */
export function isOfKeychain({ code }: DrawbridgeError): boolean {
  return KEYCHAIN_CODES.has(code);
}

/** Statuses of a server that is busy, or of a gateway that has none behind it now. */
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/** Failures of the network, and of the authorization, that are temporary. */
const PASSING_CODES = new Set(['network', 'timeout', 'token_endpoint', 'lock_timeout', 'store_away']);

/**
 * Sends the host's `initialize` and classifies what comes back. Without `mayAskPerson`, which is when nobody asked for the server just now, a 401
 * ends the attempt. Rejects only when the signal aborts or the program is wrong.
 */
export async function initialize(
  initializeRequest: InitializeRequest,
  mayAskPerson: boolean,
  deps: InitializeDeps,
): Promise<InitializeOutcome> {
  const { transport, clock, signal, contact } = deps;
  // Over HTTP+SSE the signal of `initialize` ends the session.
  const late = new AbortController();
  try {
    const reply = await postInitialize(transport, initializeRequest.bytes, {
      session: {},
      signal: anySignal([signal, late.signal]),
      limit: { ms: INITIALIZE_MS, what: WHAT },
      progress: contact,
      mayRecover: mayAskPerson,
    });
    switch (reply.kind) {
      case 'sign-in':
        return { kind: 'sign-in', signIn: reply.signIn };
      case 'no-token':
        return failedOrUnreachable(reply.error);
      case 'refused':
        return refused(reply.refusal, initializeRequest, clock.now());
      default: {
        const limit = { clock, ms: INITIALIZE_MS, signal, what: WHAT };
        return await withinTimeLimit(limit, () => read(reply, initializeRequest));
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    late.abort(error);
    if (!(error instanceof DrawbridgeError)) throw error;
    return failedOrUnreachable(error);
  }
}

const WHAT = 'the answer to initialize';

function refused(refusal: Refusal, initializeRequest: InitializeRequest, now: number): InitializeOutcome {
  // A temporary failure is waited for, whatever the response says: an initialize may be sent again.
  const id = PASSING_STATUSES.has(refusal.status) ? undefined : initializeRequest.id;
  const rejection = classifyRejection(refusal, { hadSession: false, id, now });
  switch (rejection.kind) {
    case 'unauthorized':
    case 'scope-needed':
      return failed(new BadAnswerError('the server asks for authorization (401)'));
    case 'retry-after':
      return {
        kind: 'unreachable',
        error: new BadAnswerError(`the server asks for a later retry (${refusal.status})`),
        afterMs: rejection.afterMs,
      };
    case 'unreachable':
      return { kind: 'unreachable', error: rejection.error };
    case 'answer':
      return rpcFailure(rejection.json, initializeRequest);
    case 'session-lost':
      return failed(new BadAnswerError('the server knows no such session'));
    case 'failed':
      return failed(rejection.error);
  }
}

function failedOrUnreachable(error: DrawbridgeError): InitializeOutcome {
  return PASSING_CODES.has(error.code) ? { kind: 'unreachable', error } : failed(error);
}

function failed(error: DrawbridgeError): InitializeOutcome {
  return { kind: 'failed', error };
}

async function read(reply: ServerReply, initializeRequest: InitializeRequest): Promise<InitializeOutcome> {
  const { json, answer, opened, others, rest } = await readInitializeResponse(reply, initializeRequest.id);
  if (answer.failed) return rpcFailure(json, initializeRequest);
  if (opened === undefined) {
    return failed(new BadAnswerError('the server answered initialize without a result'));
  }
  return { kind: 'answered', ...opened, json, others, rest };
}

function rpcFailure(json: Uint8Array | string, initializeRequest: InitializeRequest): InitializeOutcome {
  const parsed = parseMessage(json);
  const error = parsed.kind === 'response' && isObject(parsed.message.error) ? parsed.message.error : {};
  const message = typeof error.message === 'string' ? error.message : '';
  return {
    kind: 'failed',
    error: new BadAnswerError(`the server refused initialize: ${excerpt(message)}`),
    ...(parsed.kind === 'response' && parsed.failed && answersId(parsed.id, initializeRequest.id)
      ? { json }
      : {}),
  };
}
