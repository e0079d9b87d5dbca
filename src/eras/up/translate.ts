import { withoutUndefined } from '../../platform/without-undefined.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import {
  type RawObject,
  rawChild,
  rawElements,
  rawMembers,
  rawObject,
} from '../../protocol/json/raw-json.ts';
import type { MessageId } from '../../protocol/message-id.ts';
import { isLegacyVersion, LEGACY_VERSION, META, MODERN_VERSION } from '../../protocol/revisions.ts';

/** What a legacy host says once in `initialize`, and a modern server needs with every request. */
export interface HostIdentity {
  readonly protocolVersion: unknown;
  readonly clientInfo: unknown;
  readonly capabilities: JsonObject;
}

/** The client capabilities that the modern revision still has; tasks have become an extension with a different form. */
const CLIENT_CAPABILITIES = ['experimental', 'sampling', 'elicitation', 'roots', 'extensions'];

/** Reads the parameters of `initialize`. */
export function identityOf(params: unknown): HostIdentity {
  const { protocolVersion, clientInfo, capabilities } = isObject(params) ? params : {};
  const known = Object.entries(isObject(capabilities) ? capabilities : {}).filter(([name]) =>
    CLIENT_CAPABILITIES.includes(name),
  );
  return { protocolVersion, clientInfo, capabilities: Object.fromEntries(known) };
}

/** The `_meta` of a modern request (specification 2026-07-28, Base Protocol → `_meta`). */
export function metaFor({ clientInfo, capabilities }: HostIdentity, logLevel?: string): JsonObject {
  return {
    [META.protocolVersion]: MODERN_VERSION,
    ...(isObject(clientInfo) ? { [META.clientInfo]: clientInfo } : {}),
    [META.clientCapabilities]: capabilities,
    ...withoutUndefined({ [META.logLevel]: logLevel }),
  };
}

/** A legacy request as a modern one: the same text, with the protocol's `_meta` added to the host's. */
export function modernRequest(request: RawObject, meta: JsonObject): RawObject {
  const params = rawChild(request, 'params');
  const ownMeta = rawChild(params, '_meta');
  for (const [name, value] of Object.entries(meta)) ownMeta.set(name, JSON.stringify(value));
  params.set('_meta', rawObject(ownMeta));
  return new Map(request).set('params', rawObject(params));
}

/** The answer to `initialize` that corresponds to a modern server's answer to `server/discover` (specification 2026-07-28). */
export function initializeResultFrom(discovered: JsonObject, { protocolVersion }: HostIdentity): JsonObject {
  const meta = isObject(discovered._meta) ? discovered._meta : {};
  const serverInfo = [meta[META.serverInfo], discovered.serverInfo].find(isObject);
  return {
    protocolVersion: isLegacyVersion(protocolVersion) ? protocolVersion : LEGACY_VERSION,
    capabilities: isObject(discovered.capabilities) ? discovered.capabilities : {},
    serverInfo: serverInfo ?? { name: 'unnamed', version: '0' },
    ...(typeof discovered.instructions === 'string' ? { instructions: discovered.instructions } : {}),
  };
}

/** What a modern answer means for the call: it is complete, or the server needs input. */
export type ModernAnswer =
  | { readonly kind: 'complete'; readonly text: string }
  | {
      readonly kind: 'input-required';
      readonly requests: RawObject;
      /** The JSON text of the state, to be sent back byte for byte. */
      readonly state: string | undefined;
    }
  | { readonly kind: 'unknown'; readonly resultType: string };

/** Members of a result that only the modern revision has. */
const MODERN_MEMBERS = ['resultType', 'ttlMs', 'cacheScope'];

/** A modern answer as a legacy one; `id` is the host's id. An absent `resultType` means complete (Base Protocol → ResultType). */
export function legacyAnswer(message: string, id: MessageId, method: string): ModernAnswer {
  const answer = rawMembers(message);
  answer.set('id', id);
  if (!answer.has('result')) return { kind: 'complete', text: rawObject(answer) };
  const result = rawChild(answer, 'result');
  const resultType = result.get('resultType') ?? '"complete"';
  if (resultType === '"input_required"') {
    return {
      kind: 'input-required',
      requests: rawChild(result, 'inputRequests'),
      state: result.get('requestState'),
    };
  }
  if (resultType !== '"complete"') return { kind: 'unknown', resultType };
  for (const name of MODERN_MEMBERS) result.delete(name);
  narrow(result, method);
  return { kind: 'complete', text: rawObject(answer.set('result', rawObject(result))) };
}

/** Removes what legacy revisions do not allow: structured content and output schemas that are not objects. */
function narrow(result: RawObject, method: string): void {
  if (method === 'tools/call' && result.get('structuredContent')?.startsWith('{') === false) {
    result.delete('structuredContent');
  }
  const tools = result.get('tools');
  if (method !== 'tools/list' || !tools?.startsWith('[')) return;
  const narrowed = rawElements(tools).map((text) => {
    const tool = text.startsWith('{') ? rawMembers(text) : undefined;
    if (!tool?.has('outputSchema') || rawChild(tool, 'outputSchema').get('type') === '"object"') return text;
    tool.delete('outputSchema');
    return rawObject(tool);
  });
  result.set('tools', `[${narrowed.join(',')}]`);
}

/** One of a modern server's questions as a request to a legacy host. */
export function requestToHost(question: string, id: MessageId): string {
  const asked = question.startsWith('{') ? rawMembers(question) : new Map<string, string>();
  const params = rawChild(asked, 'params');
  // Revision 2025-11-25 requires an id for URL mode elicitation; the modern revision has none.
  if (asked.get('method') === '"elicitation/create"' && params.get('mode') === '"url"') {
    if (!params.has('elicitationId')) params.set('elicitationId', id);
    asked.set('params', rawObject(params));
  }
  // First, to be the leading members; last, to replace whatever the server put there.
  const own: [string, string][] = [
    ['jsonrpc', '"2.0"'],
    ['id', id],
  ];
  return rawObject(new Map([...own, ...asked, ...own]));
}

/** A notification without the subscription id, which only modern hosts know. */
export function legacyNotification(message: string): string {
  const notification = rawMembers(message);
  const params = rawChild(notification, 'params');
  const meta = rawChild(params, '_meta');
  if (!meta.delete(META.subscriptionId)) return message;
  if (meta.size > 0) params.set('_meta', rawObject(meta));
  else params.delete('_meta');
  return rawObject(notification.set('params', rawObject(params)));
}
