import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import type { Envelope } from '../../protocol/jsonrpc.ts';
import { parseMessage, RpcErrorCode } from '../../protocol/jsonrpc.ts';
import { stringId } from '../../protocol/message-id.ts';
import { type Era, isLegacyVersion, isModernErrorCode } from '../../protocol/revisions.ts';
import { UNKNOWN_MESSAGE_STATUSES } from '../../remote/http/refusal.ts';
import { type Reply, statusOf } from '../../remote/transport/transport.ts';

/** What the answer to an opening message says about the server's era. */
export type ProbeResult =
  | Era
  /** The server may be modern; `server/discover` will tell. */
  | 'ask'
  /** The answer says nothing about the era: sign-in, overload, a wrong address. */
  | 'unknown';

/** The answer to an opening message: the HTTP status, and the JSON-RPC response if there is one. */
export interface Opening {
  readonly status: number;
  readonly answer: Extract<Envelope, { kind: 'response' }> | undefined;
}

/** Errors with which a modern server refuses `initialize` and a legacy one has no reason to (Base Protocol → `_meta`; Streamable HTTP). */
const ASKING_CODES: readonly unknown[] = [
  RpcErrorCode.methodNotFound,
  RpcErrorCode.invalidParams,
  RpcErrorCode.invalidRequest,
];

/** Classifies the answer to a legacy host's `initialize`. */
export function classifyInitialize({ answer }: Opening): ProbeResult {
  if (answer === undefined) return 'unknown';
  const code = errorCode(answer.message);
  if (code !== undefined)
    return isModernErrorCode(code) ? 'modern' : ASKING_CODES.includes(code) ? 'ask' : 'unknown';
  const { result } = answer.message;
  if (!isObject(result)) return 'unknown';
  return isLegacyVersion(result.protocolVersion) || typeof result.protocolVersion !== 'string'
    ? 'legacy'
    : 'modern';
}

/** Classifies the answer to `server/discover` (specification 2026-07-28, Versioning → Backward Compatibility). */
export function classifyDiscover({ status, answer }: Opening): ProbeResult {
  if (answer === undefined) return UNKNOWN_MESSAGE_STATUSES.has(status) ? 'legacy' : 'unknown';
  const code = errorCode(answer.message);
  if (code !== undefined) return isModernErrorCode(code) ? 'modern' : 'legacy';
  const { result } = answer.message;
  return isObject(result) && Array.isArray(result.supportedVersions) ? 'modern' : 'legacy';
}

function errorCode(message: JsonObject): unknown {
  return isObject(message.error) ? message.error.code : undefined;
}

/** The status and response in a reply, as far as they are known without reading a stream. */
export function openingOf(reply: Reply): Opening {
  switch (reply.kind) {
    case 'message':
      return { status: 200, answer: answerIn(reply.json) };
    case 'refused':
      return { status: reply.refusal.status, answer: answerIn(reply.refusal.body) };
    case 'sign-in':
    case 'no-token':
      return { status: statusOf(reply), answer: undefined };
    case 'events':
      return { status: 200, answer: undefined };
    case 'accepted':
      return { status: 202, answer: undefined };
  }
}

/** Accepts an error without an id too, with which servers refuse a message that they cannot read. */
function answerIn(body: Uint8Array): Opening['answer'] {
  const parsed = parseMessage(body);
  if (parsed.kind === 'response') return parsed;
  try {
    const message = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof message?.error?.code === 'number'
      ? { kind: 'response', id: stringId(''), failed: true, message }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
