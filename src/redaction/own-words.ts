import { redactor } from './secrets.ts';

/** No message of a server or host is nested deeper, and the bridge's own messages are flat. */
const MAX_DEPTH = 256;

/** With these a host refers to an entry of a list, so they must not change, even if a header of the user contains the name of a tool. */
const IDENTIFIERS = new Set(['name', 'uri', 'uriTemplate']);

/**
 * Removes secrets from a value in one of the bridge's own messages. Such a message may quote a server or contain a cached answer of one.
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
