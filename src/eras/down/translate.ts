import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type RawObject, rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { RpcErrorCode } from '../../protocol/jsonrpc.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import { LEGACY_VERSION, META, MODERN_VERSION, metaOf } from '../../protocol/revisions.ts';

/** The parameters of the `initialize` with which the bridge opens a session on behalf of a modern host. */
export function initializeParams(params: unknown): JsonObject {
  const meta = metaOf(params);
  const capabilities = meta[META.clientCapabilities];
  const clientInfo = meta[META.clientInfo];
  return {
    protocolVersion: LEGACY_VERSION,
    capabilities: isObject(capabilities) ? capabilities : {},
    clientInfo: isObject(clientInfo) ? clientInfo : { name: 'unnamed', version: '0' },
  };
}

/** A modern request as a legacy one, without the protocol's own `_meta` and without the members of multi-round-trip requests. */
export function legacyRequest(request: RawObject): string {
  const params = rawChild(request, 'params');
  const meta = rawChild(params, '_meta');
  for (const name of [META.protocolVersion, META.clientInfo, META.clientCapabilities, META.logLevel]) {
    meta.delete(name);
  }
  if (meta.size > 0) params.set('_meta', rawObject(meta));
  else params.delete('_meta');
  params.delete('inputResponses');
  params.delete('requestState');
  return rawObject(new Map(request).set('params', rawObject(params)));
}

/** The answer to `server/discover` that corresponds to a legacy server's answer to `initialize`. */
export function discoveredFrom(initializeResult: JsonObject): JsonObject {
  const { tasks: _tasks, ...capabilities } = isObject(initializeResult.capabilities)
    ? initializeResult.capabilities
    : {};
  return {
    resultType: 'complete',
    supportedVersions: [MODERN_VERSION],
    capabilities,
    ...(typeof initializeResult.instructions === 'string'
      ? { instructions: initializeResult.instructions }
      : {}),
    ttlMs: 0,
    cacheScope: 'private',
    ...(isObject(initializeResult.serverInfo)
      ? { _meta: { [META.serverInfo]: initializeResult.serverInfo } }
      : {}),
  };
}

/** Methods whose results must say how long they may be cached (specification 2026-07-28, Caching). A legacy server does not say, so 0. */
const CACHEABLE = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** The legacy code for a missing resource, which modern implementations must not use (Base Protocol → Error Codes). */
const RESOURCE_NOT_FOUND = '-32002';

/** A legacy answer as a modern one, with the id of the host's current request. */
export function modernAnswer(message: string, id: MessageId, method: string, serverInfo: unknown): string {
  const answer = rawMembers(message).set('id', id);
  if (answer.has('error')) {
    const error = rawChild(answer, 'error');
    if (error.get('code') !== RESOURCE_NOT_FOUND) return rawObject(answer);
    return rawObject(answer.set('error', rawObject(error.set('code', String(RpcErrorCode.invalidParams)))));
  }
  const result = rawChild(answer, 'result');
  result.set('resultType', '"complete"');
  if (CACHEABLE.has(method)) {
    if (!result.has('ttlMs')) result.set('ttlMs', '0');
    if (!result.has('cacheScope')) result.set('cacheScope', '"private"');
  }
  if (isObject(serverInfo)) {
    const meta = rawChild(result, '_meta');
    if (!meta.has(META.serverInfo)) meta.set(META.serverInfo, JSON.stringify(serverInfo));
    result.set('_meta', rawObject(meta));
  }
  return rawObject(answer.set('result', rawObject(result)));
}

/** The requests that a legacy server may send during a call; a modern server can only ask them as input that a call requires. */
export const INPUT_METHODS: readonly string[] = [
  'elicitation/create',
  'sampling/createMessage',
  'roots/list',
];

/** The key of the question: the bridge asks one question per round. */
export const INPUT_KEY = 'input';

/** Turns a legacy server's request into an answer that asks the host for input. */
export function inputRequired(question: string, id: MessageId, state: string): string {
  const asked = rawMembers(question);
  const params = rawChild(asked, 'params');
  // URL mode elicitation has no id in the modern revision (client/elicitation → URL mode).
  params.delete('elicitationId');
  const request: RawObject = new Map([['method', asked.get('method') ?? '""']]);
  if (asked.has('params')) request.set('params', rawObject(params));
  const requests = rawObject(new Map([[INPUT_KEY, rawObject(request)]]));
  const result: RawObject = new Map([
    ['resultType', '"input_required"'],
    ['inputRequests', requests],
    ['requestState', JSON.stringify(state)],
  ]);
  return rawObject(
    new Map([
      ['jsonrpc', '"2.0"'],
      ['id', id],
      ['result', rawObject(result)],
    ]),
  );
}

/** A notification with the id of its subscription in `_meta`. */
export function subscribed(notification: string, subscription: MessageId): string {
  const members = rawMembers(notification);
  const params = rawChild(members, 'params');
  const meta = rawChild(params, '_meta').set(META.subscriptionId, subscription);
  return rawObject(members.set('params', rawObject(params.set('_meta', rawObject(meta)))));
}
