import { redactor } from './secrets.ts';

/** Matches words such as `production`, `server`, `enabled`: they are not keys, and they occur all over the bridge's own texts. */
const WORD = /^(?:[a-z]{1,15}|.{0,7})$/i;

/** The parts of a server's address that may be a key: the whole query, and each value that is not a word. */
export function querySecrets({ search, searchParams }: URL): string[] {
  if (search === '') return [];
  return [search.slice(1), ...[...searchParams.values()].filter((value) => !WORD.test(value))];
}

/**
 * Stops redacting the query of the `resource` in an authorization address. If a server's metadata includes the query in its resource (RFC 9728
 * §3.3), the address that the user opens contains it (RFC 8707 §2): it is then not a secret, and the address does not work without it.
 */
export function admitResource(address: string): void {
  if (!URL.canParse(address)) return;
  for (const resource of new URL(address).searchParams.getAll('resource')) {
    if (URL.canParse(resource)) for (const each of querySecrets(new URL(resource))) redactor.forget(each);
  }
}
