import type { IncomingMessage, ServerResponse } from 'node:http';
import { idKey, membersOf } from './json-text.ts';
import type { Subject } from './pieces.ts';
import type { Place } from './scenario.ts';

// biome-ignore lint/suspicious/noExplicitAny: the parameters of whatever request it is.
export type Json = any;

/** One request as it came. */
export interface Came {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly place: Place;
  readonly method: string;
  /** The text of the id; undefined where there is none. */
  readonly id: string | undefined;
  readonly params: Json;
  /** Which stream the server's own messages for it go to. */
  readonly session: string;
}

export const STREAM_TYPE = { 'content-type': 'text/event-stream' };

export function placeOf(httpMethod: string | undefined, rpc: Json): Place {
  if (httpMethod === 'GET') return 'get';
  if (httpMethod === 'DELETE') return 'delete';
  const { method, id } = rpc;
  if (typeof method !== 'string') return 'host-answer';
  if (method === 'initialize') return 'initialize';
  if (method === 'notifications/initialized') return 'initialized';
  if (id === undefined) return 'notification';
  if (method === 'server/discover') return 'discover';
  if (method === 'subscriptions/listen') return 'listen';
  if (method === 'tools/call') return 'call';
  return method.endsWith('/list') ? 'list' : 'other-request';
}

export function nonceOf(params: Json): string {
  return String(params?.arguments?.nonce);
}

export function rightText({ id, result, instead }: Subject): string {
  return instead ?? `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

/** Whether a body is one JSON-RPC message with this id that answers. */
export function isAnswerTo(body: string, id: string | undefined): boolean {
  if (id === undefined || !body.trimStart().startsWith('{')) return false;
  try {
    const message: unknown = JSON.parse(body);
    if ((message as { jsonrpc?: unknown }).jsonrpc !== '2.0') return false;
  } catch {
    return false;
  }
  const members = membersOf(body);
  const own = members.get('id');
  if (own === undefined || !/^["\d-]/.test(own) || members.has('method')) return false;
  return idKey(own) === idKey(id) && (members.has('result') || members.has('error'));
}

/** A modern server's stream of changes. */
export function listened(id: string, params: Json, response: ServerResponse): void {
  const acknowledged = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":${id}},"notifications":${JSON.stringify(params?.notifications ?? {})}}}`;
  response.writeHead(200, STREAM_TYPE);
  response.write(`event: message\ndata: ${acknowledged}\n\n`);
}
