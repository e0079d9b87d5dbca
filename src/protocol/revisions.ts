import { isObject, type JsonObject } from './json/json-object.ts';

/** legacy: revisions with an `initialize` handshake. modern: revisions in which every request is self-contained (specification 2026-07-28, Versioning). */
export type Era = 'legacy' | 'modern';

/** The modern revision that the bridge speaks. */
export const MODERN_VERSION = '2026-07-28';

/** The legacy revision that the bridge uses when it translates: towards a legacy server, and towards a legacy host that asks for no other. */
export const LEGACY_VERSION = '2025-11-25';

/** The revisions with an `initialize` handshake, newest first. */
export const LEGACY_VERSIONS: readonly string[] = [LEGACY_VERSION, '2025-06-18', '2025-03-26', '2024-11-05'];

/** Reserved keys of `_meta` (specification 2026-07-28, Base Protocol → General fields). */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** Error codes that only modern servers use (specification 2026-07-28, Base Protocol → Error Codes). */
export const ModernErrorCode = {
  headerMismatch: -32020,
  missingRequiredClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;

/** Whether the code is one that only modern servers use. */
export function isModernErrorCode(code: unknown): boolean {
  return Object.values(ModernErrorCode).some((known) => known === code);
}

/** Whether `version` is a revision with an `initialize` handshake. */
export function isLegacyVersion(version: unknown): version is string {
  return LEGACY_VERSIONS.some((known) => known === version);
}

/** The era of a request by its parameters: only a modern request carries its protocol version in `_meta`. */
export function eraOfRequest(params: unknown): Era {
  return typeof metaOf(params)[META.protocolVersion] === 'string' ? 'modern' : 'legacy';
}

/** The `_meta` of a message's parameters; empty if there is none. */
export function metaOf(params: unknown): JsonObject {
  return isObject(params) && isObject(params._meta) ? params._meta : {};
}

/** The requests that may be answered by asking for input (specification 2026-07-28, Multi Round-Trip Requests → Supported Requests). */
export const INPUT_CALLS: readonly string[] = ['tools/call', 'prompts/get', 'resources/read'];
