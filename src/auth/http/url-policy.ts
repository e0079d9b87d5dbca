import { isLoopback } from '../../platform/http/loopback.ts';
import { quote } from '../../protocol/quote.ts';
import { InsecureUrlError, RefusedAddressError } from '../errors/oauth-errors.ts';
import type { AddressGuard } from './address-policy.ts';

/** The facts that decide whether an address named by a server or a document may be used. */
export interface UrlPolicy {
  /** The MCP server configured by the user. */
  readonly server: URL;
  /** The user's `--allow-http`: only for the MCP server's own origin. */
  readonly allowHttp: boolean;
  readonly addresses: AddressGuard;
}

/** Longer than any real endpoint; browsers and openers have limits not far above. */
const MAX_URL_CHARACTERS = 2_048;
/** RFC 3986 allows no others; `new URL` silently drops or encodes them, and the store rejects them. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * Turns an address from a challenge or a document into a URL that may be requested or opened (.github/SECURITY.md, attacks 1, 3, 11, 12). `what` names it for
 * the person: "the token endpoint".
 */
export function checkDiscoveredUrl(text: string, what: string, policy: UrlPolicy): URL {
  const refuse = (why: string) => new InsecureUrlError(`${what} ${quote(text)} ${why}`);
  if (text.length > MAX_URL_CHARACTERS) {
    throw refuse(`is longer than ${MAX_URL_CHARACTERS} characters`);
  }
  if (!VISIBLE_ASCII.test(text)) throw refuse('holds white space, control or non-ASCII characters');
  if (!URL.canParse(text)) throw refuse('is not an absolute URL');
  const url = new URL(text);
  const fault = schemeFault(url, policy);
  if (fault !== undefined) throw refuse(fault);
  if (url.username !== '' || url.password !== '') throw refuse('holds user information');
  // RFC 6749 §3.1, §3.2 and RFC 8414 §2 forbid it everywhere.
  if (text.includes('#')) throw refuse('holds a fragment');
  if (!policy.addresses.allowHost(url.hostname)) {
    throw new RefusedAddressError(
      `${what} ${quote(text)} leads to an address that ${policy.server.host} may not lead to`,
    );
  }
  return url;
}

function schemeFault(url: URL, policy: UrlPolicy): string | undefined {
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'is not https';
  if (isLoopback(url)) return undefined;
  if (policy.allowHttp && url.origin === policy.server.origin) return undefined;
  return 'is not https, and http is for loopback addresses only';
}
