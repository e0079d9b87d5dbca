import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { RpcErrorCode } from '../../protocol/jsonrpc.ts';
import { META, MODERN_VERSION } from '../../protocol/revisions.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';

/** A result of the bridge itself in the modern form: it must not be cached (Caching), so that the host asks again. */
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
    supportedVersions: [MODERN_VERSION],
    capabilities: isObject(capabilities) ? capabilities : {},
    ...(typeof instructions === 'string' ? { instructions } : {}),
    ...(isObject(serverInfo) ? { _meta: { [META.serverInfo]: serverInfo } } : {}),
  };
  return { kind: 'result', result: completeResult(result) as JsonObject };
}

/** The part of the server's own answer that is kept: the same as of an `initialize`, so that either can stand in for the other. */
export function initializeResultOfDiscovery({
  capabilities,
  instructions,
  serverInfo,
  _meta,
}: JsonObject): JsonObject {
  const named = isObject(_meta) ? _meta[META.serverInfo] : undefined;
  return {
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: [named, serverInfo].find(isObject) ?? { name: 'unnamed', version: '0' },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  };
}
