import type { Envelope, JsonObject } from '../protocol/jsonrpc.ts';
import { RpcErrorCode } from '../protocol/jsonrpc.ts';
import { type Era, isLegacyVersion, isModernErrorCode, isObject } from './message/era.ts';

/** What the answer to an opening message says of the server. */
export type ProbeResult =
  | Era
  /** It may be modern: `server/discover` will tell. */
  | 'ask'
  /** Nothing: sign-in, overload, an address that is wrong. */
  | 'unknown';

/** What came back: a JSON-RPC answer, with the status that it came with, or a status alone. */
export interface Opening {
  readonly status: number;
  readonly answer: Extract<Envelope, { kind: 'response' }> | undefined;
}

/** Statuses with which a server refuses a message that it does not know; 401, 403, 429 and 5xx say nothing of the era. */
const LEGACY_STATUSES = [400, 404, 405, 406, 415, 501];

/** Errors that a legacy server has no reason to answer `initialize` with, and that a modern one does (Base Protocol → `_meta`; Streamable HTTP). */
const ASKING_CODES: readonly unknown[] = [
  RpcErrorCode.methodNotFound,
  RpcErrorCode.invalidParams,
  RpcErrorCode.invalidRequest,
];

/** The answer to a legacy host's `initialize`. */
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

/** The answer to `server/discover` (specification 2026-07-28, Versioning → Backward Compatibility). */
export function classifyDiscover({ status, answer }: Opening): ProbeResult {
  if (answer === undefined) return LEGACY_STATUSES.includes(status) ? 'legacy' : 'unknown';
  const code = errorCode(answer.message);
  if (code !== undefined) return isModernErrorCode(code) ? 'modern' : 'legacy';
  const { result } = answer.message;
  return isObject(result) && Array.isArray(result.supportedVersions) ? 'modern' : 'legacy';
}

function errorCode(message: JsonObject): unknown {
  return isObject(message.error) ? message.error.code : undefined;
}
