import { DrawbridgeError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { causedBy, DiscoveryError, IssuerMismatchError } from '../errors/oauth-errors.ts';
import type { GuardedAnswer, GuardedFetch } from '../http/guarded-fetch.ts';
import { isTooDeep, MAX_JSON_DEPTH, parseJson } from '../http/json.ts';

/** The response of a well-known address. */
type Found =
  | { readonly kind: 'document'; readonly document: object }
  | { readonly kind: 'absent' }
  /** Something is there, or behind a gateway that cannot tell: another address may have the document, but it does not count as absent. */
  | { readonly kind: 'unusable'; readonly reason: DiscoveryError };

/**
 * Fetches the addresses in turn until `check` accepts a document. Undefined only if each address says that it has none: a server that is merely failing must
 * not be taken for one without metadata, or the wrong authorization server would be used.
 */
export async function findDocument<T>(
  fetch: GuardedFetch,
  urls: readonly URL[],
  signal: AbortSignal | undefined,
  check: (document: object) => T,
): Promise<T | undefined> {
  let problem: DrawbridgeError | undefined;
  for (const url of urls) {
    const found = judge(url, await get(fetch, url, signal));
    if (found.kind === 'unusable') problem ??= found.reason;
    if (found.kind !== 'document') continue;
    try {
      return check(found.document);
    } catch (error) {
      // A document for another issuer may hide the right one: an issuer with a path on a host that answers for all paths.
      if (!(error instanceof DiscoveryError || error instanceof IssuerMismatchError)) throw error;
      problem ??= error;
    }
  }
  if (problem !== undefined) throw problem;
  return undefined;
}

async function get(fetch: GuardedFetch, url: URL, signal: AbortSignal | undefined): Promise<GuardedAnswer> {
  try {
    return await fetch.get(url, signal);
  } catch (error) {
    if (!(error instanceof DrawbridgeError) || error.code === 'aborted') throw error;
    throw new DiscoveryError(`could not read the metadata at ${quote(url.href)}`, causedBy(error));
  }
}

function judge(url: URL, { status, text }: GuardedAnswer): Found {
  if (status === 429 || (status >= 500 && status !== 501)) {
    const reason = new DiscoveryError(`the metadata at ${quote(url.href)} was answered with ${status}`);
    // Some gateways answer unknown paths with 502; other statuses are temporary failures of the server itself.
    if (status === 502) return { kind: 'unusable', reason };
    throw reason;
  }
  if (status < 200 || status > 299) return { kind: 'absent' };
  const unusable = (why: string): Found => {
    return { kind: 'unusable', reason: new DiscoveryError(`the metadata at ${quote(url.href)} ${why}`) };
  };
  if (isTooDeep(text)) return unusable(`nests deeper than ${MAX_JSON_DEPTH} levels`);
  const document = parseObject(text);
  if (document !== undefined) return { kind: 'document', document };
  // A web application that answers every path with its page has no metadata there; a document that is cut off is one.
  return text.trimStart().startsWith('{') ? unusable('is not JSON') : { kind: 'absent' };
}

function parseObject(text: string): object | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
