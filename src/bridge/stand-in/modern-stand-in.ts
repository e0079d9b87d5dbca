import { type JsonObject, RpcErrorCode } from '../../protocol/jsonrpc.ts';
import type { CachedServer } from './server-cache.ts';
import { isObject } from './stand-in.ts';

/** The revision of hosts that open no session: each of their requests carries what it needs (specification 2026-07-28, Base Protocol → `_meta`). */
const VERSION = '2026-07-28';
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const SERVER_INFO_KEY = 'io.modelcontextprotocol/serverInfo';

export function isModernRequest(params: unknown): boolean {
  return isObject(params) && isObject(params._meta) && typeof params._meta[VERSION_KEY] === 'string';
}

/** A result of the bridge's own as such a host wants it: it holds for no time (Caching), so that the host looks again. */
export function completeResult(result: unknown): unknown {
  return isObject(result) ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result } : result;
}

export type DiscoveryStandIn =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

/**
 * The answer to `server/discover` while the server cannot give its own (src/README.md, "Before the server is ready"): last time's; where nothing is known
 * an error on which the host falls back to `initialize`, behind which servers of either era can be served.
 */
export function standInDiscovery({ era, initialize }: CachedServer): DiscoveryStandIn {
  if (era === undefined || !isObject(initialize)) {
    return { kind: 'error', code: RpcErrorCode.methodNotFound, message: 'Method not found: server/discover' };
  }
  const { capabilities, serverInfo, instructions } = initialize;
  const result = {
    supportedVersions: [VERSION],
    capabilities: isObject(capabilities) ? capabilities : {},
    ...(typeof instructions === 'string' ? { instructions } : {}),
    ...(isObject(serverInfo) ? { _meta: { [SERVER_INFO_KEY]: serverInfo } } : {}),
  };
  return { kind: 'result', result: completeResult(result) as JsonObject };
}

/** What of the server's own answer is kept: the same as of an `initialize`, so that either can stand in for the other. */
export function initializeResultOfDiscovery({
  capabilities,
  instructions,
  serverInfo,
  _meta,
}: JsonObject): JsonObject {
  const named = isObject(_meta) ? _meta[SERVER_INFO_KEY] : undefined;
  return {
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: [named, serverInfo].find(isObject) ?? { name: 'unnamed', version: '0' },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  };
}
