import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { isListMethod, isListResult, LISTS, type ListMethod } from '../../protocol/list-methods.ts';
import { plainText, quote } from '../../protocol/quote.ts';
import { isLegacyVersion, LEGACY_VERSION } from '../../protocol/revisions.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';
import { CALL_WAIT_MS } from '../timing/limits.ts';
import { describeUnavailability, type Unavailability } from './unavailability.ts';

export const SIGN_IN_TOOL = 'sign_in';

/** Everything that a server may turn out to have: a host requests only what was declared to it, for the whole session. */
const ANYTHING = { tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {} };

/**
 * The answer to the host's `initialize` while the server cannot give its own: last time's, else a minimal one. The version is the host's where
 * that is one with a handshake (specification, Lifecycle → Version Negotiation).
 */
export function standInInitializeResult(
  params: unknown,
  cachedServer: CachedServer,
  version: string,
): JsonObject {
  const wanted = isObject(params) ? params.protocolVersion : undefined;
  const protocolVersion = isLegacyVersion(wanted) ? wanted : LEGACY_VERSION;
  if (isObject(cachedServer.initialize)) {
    const capabilities = isObject(cachedServer.initialize.capabilities)
      ? cachedServer.initialize.capabilities
      : {};
    return { ...cachedServer.initialize, protocolVersion, capabilities: withListChanged(capabilities) };
  }
  return {
    protocolVersion,
    capabilities: withListChanged(ANYTHING),
    serverInfo: { name: 'mcp-drawbridge', version },
  };
}

/** The lists may differ once the server is there, and the host must be ready for the notification. */
function withListChanged(capabilities: JsonObject): JsonObject {
  const changed: Record<string, unknown> = { ...capabilities };
  for (const name of ['tools', 'prompts', 'resources']) {
    if (isObject(capabilities[name])) changed[name] = { ...capabilities[name], listChanged: true };
  }
  return changed;
}

/** The contents of a list whose request has waited long enough: last time's, the sign-in hint, or nothing. */
export function standInList(
  method: ListMethod,
  cachedServer: CachedServer,
  unavailability: Unavailability,
): { readonly result: unknown; readonly placeholder: boolean } | undefined {
  const known = cachedServer.lists?.[method];
  if (isListResult(method, known)) return { result: known, placeholder: false };
  if (unavailability.kind !== 'signing-in') return undefined;
  const entries = method === 'tools/list' ? [signInTool(unavailability)] : [];
  return { result: { [LISTS[method].field]: entries }, placeholder: true };
}

function signInTool(unavailability: Unavailability): JsonObject {
  return {
    name: SIGN_IN_TOOL,
    title: 'Sign in',
    description: `${describeUnavailability(unavailability)} This tool waits for the sign-in, up to ${CALL_WAIT_MS / 1000} seconds for each call; the server's own tools appear when it is done.`,
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true, openWorldHint: true },
  };
}

/** How the `sign_in` tool ended. `showsTools`: whether this host shows the server's tools without a restart; undefined where that is not known. */
export type SignInToolOutcome =
  | { readonly kind: 'signed-in'; readonly showsTools: boolean | undefined }
  | Unavailability;

/** The result of the `sign_in` tool. */
export function signInResult(outcome: SignInToolOutcome): JsonObject {
  const isError = outcome.kind !== 'signed-in';
  return { content: [{ type: 'text', text: signInText(outcome) }], ...(isError ? { isError } : {}) };
}

function signInText(outcome: SignInToolOutcome): string {
  switch (outcome.kind) {
    case 'signed-in':
      return `Signed in. ${whereToolsAre(outcome.showsTools)}`;
    case 'signing-in':
      // The address comes last, so that nothing after it can be taken for a part of it.
      return `Not signed in yet: call this tool again to continue waiting. ${describeUnavailability(outcome)}`;
    default:
      return describeUnavailability(outcome);
  }
}

function whereToolsAre(showsTools: boolean | undefined): string {
  if (showsTools === false)
    return 'This app does not reload the tools of the server by itself: the person has to restart this MCP server in the app, or the app, to see them.';
  const now = 'The tools of the server are available now.';
  return showsTools ? now : `${now} If the app does not show them, restart this MCP server in the app.`;
}

export type AbsentAnswer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly message: string };

/** Requests for what a server declares beside its lists. */
const DECLARED_BESIDE_LISTS: ReadonlySet<string> = new Set([
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
]);

/** Whether such a request may be for something that the server has not declared (`absentAnswer`). */
export function mayBeAbsent(method: string): boolean {
  return DECLARED_BESIDE_LISTS.has(method) || isListMethod(method);
}

/**
 * The answer to a request for something that the server has not declared. A list of it is empty: some hosts ask all the same, and drop the whole
 * server for what it says then. Of what the stand-in offered and the server turns out not to have, a log level is accepted, as no line of the log is
 * above it, and the rest is not known. `undefined`: the server has it, or speaks for itself.
 */
export function absentAnswer(
  method: string,
  stoodIn: boolean,
  capabilities: JsonObject,
): AbsentAnswer | undefined {
  if (isListMethod(method)) {
    const { capability, field } = LISTS[method];
    if (Object.hasOwn(capabilities, capability)) return undefined;
    if (!stoodIn && (method === 'tools/list' || !declaresAnyList(capabilities))) return undefined;
    return { kind: 'result', result: { [field]: [] } };
  }
  if (!stoodIn) return undefined;
  if (method === 'logging/setLevel') {
    return Object.hasOwn(capabilities, 'logging') ? undefined : { kind: 'result', result: {} };
  }
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe') {
    const { resources } = capabilities;
    if (isObject(resources) && resources.subscribe === true) return undefined;
    return {
      kind: 'error',
      message: `Method not found: ${method}. The server does not report changes to its resources.`,
    };
  }
  return undefined;
}

/** Specification, Tools, Prompts, Resources → Capabilities: what a server has it must declare. One that declares nothing at all may have anything. */
function declaresAnyList(capabilities: JsonObject): boolean {
  return Object.values(LISTS).some(({ capability }) => Object.hasOwn(capabilities, capability));
}

/**
 * What the host gets in place of a result that is not the list that it asked for, and for which some hosts drop the whole server: no prompts and no
 * resources, but an error where tools were declared, since without them nobody would know what is wrong. `undefined`: the result is a list.
 */
export function insteadOfList(
  method: ListMethod,
  result: unknown,
  declaresTools: boolean,
): AbsentAnswer | undefined {
  if (isListResult(method, result)) return undefined;
  const { field } = LISTS[method];
  if (method !== 'tools/list' || !declaresTools) return { kind: 'result', result: { [field]: [] } };
  return {
    kind: 'error',
    message: `The server answered tools/list without a list of tools: its result ${outline(result)}.`,
  };
}

/** Only the names of an object, however deep it is. */
function outline(result: unknown): string {
  if (Array.isArray(result)) return 'is an array';
  if (!isObject(result)) return `is ${quote(String(result))}`;
  const names = Object.keys(result).map((name) => `"${name}"`);
  return names.length === 0 ? 'is empty' : `has only ${plainText(names.join(', '))}`;
}

/** Whether the host that sent these parameters of `initialize` can show an address to the person itself. */
export function declaresUrlElicitation(params: unknown): boolean {
  return isObject(params) && showsAddresses(params.capabilities);
}

/** Whether a host with these capabilities can show an address (specification 2025-11-25 and 2026-07-28, Elicitation → Capabilities, URL mode). */
export function showsAddresses(capabilities: unknown): boolean {
  const elicitation = isObject(capabilities) ? capabilities.elicitation : undefined;
  return isObject(elicitation) && isObject(elicitation.url);
}

/** Whether one of the server's tools has the name of ours. */
export function holdsSignIn(tools: unknown): boolean {
  return Array.isArray(tools) && tools.some((tool) => isObject(tool) && tool.name === SIGN_IN_TOOL);
}
