import type { Config } from '../config/config.ts';

type Shaping = Pick<Config, 'server' | 'profile' | 'scope' | 'resource' | 'nobodyThere'>;

/** What a person types to sign in for a process that cannot ask them. */
export function signInHint(config: Shaping): string {
  const { profile, scope, resource, nobodyThere } = config;
  const words = ['mcp-drawbridge', 'login', address(config.server)];
  if (profile !== 'default') words.push('--profile', profile);
  if (scope !== undefined) words.push('--scope', scope);
  if (resource !== undefined) words.push('--resource', resource);
  if (nobodyThere === 'no-display') words.push('--no-browser');
  return `Run: ${words.map(shellWord).join(' ')}`;
}

/** Some servers carry a key in the query, and this text goes to hosts and logs. */
function address(server: URL): string {
  return server.search === '' ? server.href : `${server.origin}${server.pathname}?…`;
}

function shellWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
