import { redactor } from './secrets.ts';

/** What a server or a host sent is no deeper, and what the bridge puts together is flat. */
const MAX_DEPTH = 256;

/** By these a host names an entry of a list to the server: a user's header may hold the names of tools. */
const IDENTIFIERS = new Set(['name', 'uri', 'uriTemplate']);

/**
 * A value of a message that the bridge itself makes, without secrets: it quotes servers, and what one said last time stands in for what it
 * would say now.
 */
export function withoutSecretsIn(value: unknown, depth = 0, isEntry = false): unknown {
  if (typeof value === 'string') return redactor.redactRegistered(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((member) => withoutSecretsIn(member, depth + 1, true));
  const members = Object.entries(value).map(([name, member]) => [
    name,
    isEntry && IDENTIFIERS.has(name) ? member : withoutSecretsIn(member, depth + 1),
  ]);
  return Object.fromEntries(members);
}
