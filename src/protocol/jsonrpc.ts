import { isUtf8 } from 'node:buffer';
import { withoutSecretsIn } from '../redaction/own-words.ts';
import type { JsonObject } from './json/json-object.ts';
import { scanObject, splitBatch } from './json/json-scan.ts';
import { asMessageId, type MessageId, messageIdIn } from './message-id.ts';

/**
 * JSON-RPC 2.0 envelopes as MCP uses them (specification, Base Protocol → Messages). Only the envelope is read; everything else in a message
 * concerns the host and the server.
 */

export type { MessageId };

/** A message with its parsed object. */
export type Envelope =
  | {
      readonly kind: 'request';
      readonly id: MessageId;
      readonly method: string;
      readonly message: JsonObject;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly message: JsonObject }
  | {
      readonly kind: 'response';
      readonly id: MessageId;
      readonly failed: boolean;
      readonly message: JsonObject;
    };
/** What a text turned out to be. */
export type Parsed =
  | Envelope
  | { readonly kind: 'batch'; readonly members: readonly Uint8Array[] }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'not-a-message'; readonly id: MessageId | null };

/** What decoding puts in the place of bytes that are not UTF-8. A text without it needs no second look at its bytes. */
const REPLACEMENT = '\ufffd';

/** Parses one line of the host or the `data` of one event of the server. Never throws. */
export function parseMessage(text: Uint8Array | string): Parsed {
  const bytes = typeof text === 'string' ? undefined : asBuffer(text);
  const json = bytes?.toString('utf8') ?? (text as string);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { kind: 'not-json' };
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return { kind: 'not-a-message', id: null };
    return { kind: 'batch', members: splitBatch(bytes ?? Buffer.from(json, 'utf8')) };
  }
  const parsed = classify(value, json);
  // RFC 8259 §8.1: JSON is UTF-8. Invalid bytes would be relayed unchanged although we parsed them with replacement characters.
  if (bytes === undefined || !json.includes(REPLACEMENT) || isUtf8(bytes)) return parsed;
  return { kind: 'not-a-message', id: 'id' in parsed ? parsed.id : null };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether the text of a member of a batch is a batch itself, which JSON-RPC 2.0 §6 does not have. */
export function isBatch(text: Uint8Array): boolean {
  const blanks = [0x20, 0x09, 0x0a, 0x0d];
  return text.find((byte) => !blanks.includes(byte)) === 0x5b;
}

/** A message as text, decoded from UTF-8 if it is bytes. */
export function textOf(message: Uint8Array | string): string {
  return typeof message === 'string' ? message : Buffer.from(message).toString('utf8');
}

/** Messages of at least this size are only scanned: if a message is relayed unchanged, parsing costs more than relaying. */
export const LOOKED_AT_BYTES = 64 * 1024;

const LOOKED_AT = new Set(['jsonrpc', 'id', 'method']);

/** Like `parseMessage`, for a message of which often only the envelope is needed: for a large one, `message` is parsed on first access. */
export function lookAtMessage(text: Uint8Array | string): Parsed {
  if (typeof text === 'string' || text.length < LOOKED_AT_BYTES || !isUtf8(text)) return parseMessage(text);
  const bytes = asBuffer(text);
  const members = scanObject(bytes);
  if (members === 'unknown') return parseMessage(text);
  if (members === 'not-json') return { kind: 'not-json' };
  const known: Record<string, unknown> = Object.create(null);
  let id: string | undefined;
  for (const [name, [start, end]] of members) {
    const json = LOOKED_AT.has(name) ? bytes.toString('utf8', start, end) : undefined;
    if (name === 'id') id = json;
    known[name] = json === undefined ? undefined : JSON.parse(json);
  }
  const parsed = classify(known, '', asMessageId(id));
  if (!('message' in parsed)) return parsed;
  let message: JsonObject | undefined;
  const whole = () => {
    message ??= JSON.parse(bytes.toString('utf8')) as JsonObject;
    return message;
  };
  return Object.defineProperty({ ...parsed }, 'message', { get: whole });
}

/** Classifies a parsed value; `json` is its text, which is not read if `knownId` is given. */
function classify(value: unknown, json: string, knownId?: MessageId): Parsed {
  if (typeof value !== 'object' || value === null) return { kind: 'not-a-message', id: null };
  const message = value as JsonObject;
  const { id, method } = message;
  const isId = typeof id === 'string' || typeof id === 'number';
  const usableId = isId ? (knownId ?? messageIdIn(json, id)) : null;
  if (message.jsonrpc !== '2.0') return { kind: 'not-a-message', id: usableId };
  if (typeof method === 'string') {
    if (usableId !== null) return { kind: 'request', id: usableId, method, message };
    if (!('id' in message)) return { kind: 'notification', method, message };
    return { kind: 'not-a-message', id: null };
  }
  if (method === undefined && usableId !== null && ('result' in message || 'error' in message)) {
    return { kind: 'response', id: usableId, failed: 'error' in message, message };
  }
  return { kind: 'not-a-message', id: usableId };
}

/** The error codes that the bridge itself uses: those of JSON-RPC 2.0 §5.1 and some of MCP. */
export const RpcErrorCode = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** MCP 2025-11-25, elicitation: the user has to open an address before the request can run. */
  urlElicitationRequired: -32042,
  /** Implementation-defined: the server could not be reached, refused the request, or sent an invalid answer. */
  bridge: -32000,
} as const;

// The following functions make the bridge's own messages, each as one line without the line break. They remove secrets, which a quoted text may
// contain, and leave out members that are undefined, as JSON.stringify does. The answers of a server are relayed unchanged and do not pass through here.

/** An error response; `null` for the id of a message that could not be read (JSON-RPC 2.0 §5). */
export function errorAnswer(id: MessageId | null, code: number, message: string, data?: unknown): string {
  const error = withoutSecretsIn({ code, message, data });
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`;
}

/** A response with a result. */
export function resultAnswer(id: MessageId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(withoutSecretsIn(result))}}`;
}

/** A request to the host. */
export function requestMessage(id: MessageId, method: string, params: unknown): string {
  return serverRequest(id, method, withoutSecretsIn(params));
}

/** A request to the server. It is not redacted, so that texts of the host reach the server unchanged. */
export function serverRequest(id: MessageId, method: string, params?: unknown): string {
  return `{"jsonrpc":"2.0","id":${id},${JSON.stringify({ method, params }).slice(1)}`;
}

/** A notification to the host or the server. */
export function notification(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params: withoutSecretsIn(params) });
}
