import { isObject } from '../../protocol/json/json-object.ts';
import { MODERN_VERSION } from '../../protocol/revisions.ts';
import { headerValue } from './parameter-headers.ts';

/** The parameter that `Mcp-Name` repeats (specification 2026-07-28, Streamable HTTP → Standard Request Headers). */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

/** The headers that mirror a modern request, without those for parameters of its tool. */
export function requestHeaders(method: string, params: unknown): Record<string, string> {
  const field = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
  const name = field !== undefined && isObject(params) ? params[field] : undefined;
  return {
    'mcp-method': headerValue(method),
    ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
  };
}

/** The value of `MCP-Protocol-Version`, which has to repeat the version in the request. */
export function versionHeader(version: unknown): string {
  return typeof version === 'string' ? headerValue(version) : MODERN_VERSION;
}
