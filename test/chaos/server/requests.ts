import type { IncomingMessage, ServerResponse } from 'node:http';
import { idKey, membersOf } from '../json-text.ts';
import type { Era, Place, Scenario } from '../scenario.ts';
import type { Subject } from './pieces.ts';

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

/** Where messages of HTTP+SSE are posted to. */
export const SSE_PATH = '/messages';
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

/** The result of a server of this kind that gives none. */
export function ownRefusal(server: Era, method: string, id: string | undefined): string | undefined {
  const refuse = (code: number, data = '') =>
    `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"not here"${data}}}`;
  if (server === 'modern' && method === 'initialize') {
    return refuse(-32022, ',"data":{"supported":["2026-07-28"]}');
  }
  if (server === 'legacy' && method === 'server/discover') return refuse(-32601);
  return undefined;
}

/** What each server of this kind refuses, odd or not. */
export function refusalOf(
  { request, place, path, method, params }: Came,
  { wire, server, session: hasSessions }: Scenario,
  sessions: {
    readonly hasStream: boolean;
    readonly knows: (session: string) => boolean;
    /** A message outside of any session is refused. */
    readonly insists: boolean;
  },
): { readonly status: number; readonly body: string } | undefined {
  const refused = (status: number, code: number, message: string) => {
    return { status, body: JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }) };
  };
  if (place === 'well-known') return undefined;
  if (wire === 'sse') {
    if (path !== SSE_PATH && request.method !== 'GET') return { status: 405, body: '' };
    if (path === SSE_PATH && !sessions.hasStream) return { status: 404, body: 'no such session' };
  }
  const given = request.headers['mcp-session-id'];
  if (typeof given === 'string' && !sessions.knows(given)) return refused(404, -32001, 'Session not found');
  const insists = server === 'legacy' && wire !== 'sse' && hasSessions && sessions.insists;
  if (insists && given === undefined && method !== 'initialize') {
    return refused(400, -32000, 'Bad Request: No valid session ID provided');
  }
  const version = params?._meta?.['io.modelcontextprotocol/protocolVersion'];
  if (server === 'modern' && method !== '' && method !== 'initialize' && version === undefined) {
    return refused(400, -32602, 'no protocol version in _meta');
  }
  return undefined;
}
