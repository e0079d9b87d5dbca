import { DrawbridgeError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { causedBy, DiscoveryError, IssuerMismatchError } from '../errors/oauth-errors.ts';
import type { GuardedAnswer, GuardedFetch } from '../http/guarded-fetch.ts';
import { isTooDeep, MAX_JSON_DEPTH, parseJson } from '../http/json.ts';

/** What a well-known address answered. */
type Found =
  | { readonly kind: 'document'; readonly document: object }
  | { readonly kind: 'absent' }
  /** Something is there, or behind a gateway that cannot say: another address may have it, but it is not absent. */
  | { readonly kind: 'unusable'; readonly reason: DiscoveryError };

/**
 * Asks the addresses in turn until `check` accepts a document. Undefined only where each address says that it has none: a
 * server that is merely out of order must not be taken for one without metadata, or the wrong authorization server would be asked.
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
      // A document that is not ours may hide the one that is: an issuer with a path below a host that answers for all paths.
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
    // Some gateways answer unknown paths with 502; the others are the server's own trouble, and will pass.
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
  // A web application that answers every path with its page has no metadata there; what begins as a document and is cut off is one.
  return text.trimStart().startsWith('{') ? unusable('is not JSON') : { kind: 'absent' };
}

function parseObject(text: string): object | undefined {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
