import { redactor } from './secrets.ts';

/** `production`, `server`, `enabled`: no key is a word, and the bridge's own texts are full of them. */
const WORD = /^(?:[a-z]{1,15}|.{1,7})$/i;

/** What of a server's address may be a key: its query as a whole, and each value that is no word. */
export function querySecrets({ search, searchParams }: URL): string[] {
  if (search.length <= 1) return [];
  return [search.slice(1), ...[...searchParams.values()].filter((value) => !WORD.test(value))];
}

/**
 * A server that names its query in its metadata as a part of its resource (RFC 9728 §3.3) has it sent to the authorization server in the
 * address that a person opens (RFC 8707 §2): it is no secret, and the address is of no use without it.
 */
export function admitResource(address: string): void {
  if (!URL.canParse(address)) return;
  for (const resource of new URL(address).searchParams.getAll('resource')) {
    if (URL.canParse(resource)) for (const each of querySecrets(new URL(resource))) redactor.forget(each);
  }
}
