import type { Feature, Sort } from './case.ts';

/** A document before it is sent: its members, and what is done to its text. */
export interface Draft {
  readonly members: Readonly<Record<string, unknown>>;
  readonly text: (members: Readonly<Record<string, unknown>>) => string;
}

export const asJson = (members: Readonly<Record<string, unknown>>): string => JSON.stringify(members);

/** A member with another value; undefined: without it. */
export function member(sort: Sort, part: string, what: string, value: unknown): Feature<Draft> {
  return {
    name: `${part}: ${what}`,
    sort,
    part,
    apply: ({ members, text }) => ({ members: { ...members, [part]: value }, text }),
  };
}

/** The whole text changed, once its members are known. */
export function rewritten(sort: Sort, what: string, change: (json: string) => string): Feature<Draft> {
  return {
    name: `text: ${what}`,
    sort,
    part: 'text',
    apply: ({ members, text }) => ({ members, text: (all) => change(text(all)) }),
  };
}

/** What both kinds of document can be wrapped in. */
export const TEXT_FEATURES: readonly Feature<Draft>[] = [
  rewritten('valid', 'white space around', (json) => `\r\n ${json}\n`),
  rewritten('valid', 'unknown members', (json) => json.replace('{', '{"x-vendor":{"deep":[1e400]},')),
  rewritten('odd', 'a byte order mark', (json) => `\ufeff${json}`),
  rewritten('odd', 'a page of HTML', () => '<!doctype html><title>Not found</title>'),
  rewritten('odd', 'a list around it', (json) => `[${json}]`),
  rewritten('hostile', 'members of a prototype', (json) =>
    json.replace(
      '{',
      '{"__proto__":{"token_endpoint":"https://evil.example/","resource":"https://evil.example/"},"constructor":1,',
    ),
  ),
  rewritten('hostile', 'cut off', (json) => json.slice(0, -5)),
  rewritten('hostile', 'nested deep', (json) =>
    json.replace('{', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},`),
  ),
];
