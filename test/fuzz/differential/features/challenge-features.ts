import type { Feature, Sort } from '../case.ts';

/** A header before it is sent. */
export interface HeaderDraft {
  readonly scheme: string;
  /** Name and how its value is written. */
  readonly parameters: readonly (readonly [name: string, written: string])[];
  readonly separator: string;
  readonly before: string;
  readonly after: string;
}

const METADATA = 'https://mcp.example/.well-known/oauth-protected-resource/a/mcp';

export const PLAIN_CHALLENGE: HeaderDraft = {
  scheme: 'Bearer',
  parameters: [
    ['resource_metadata', `"${METADATA}"`],
    ['scope', '"read write"'],
    ['error', '"invalid_token"'],
  ],
  separator: ', ',
  before: '',
  after: '',
};

export function writeHeader({ scheme, parameters, separator, before, after }: HeaderDraft): string {
  return `${before}${scheme} ${parameters.map((one) => one.join('=')).join(separator)}${after}`;
}

/** One parameter written in another way; undefined: not at all. */
function parameter(
  sort: Sort,
  name: string,
  what: string,
  written: string | undefined,
): Feature<HeaderDraft> {
  return {
    name: `${name}: ${what}`,
    sort,
    part: name,
    apply: (draft) => ({
      ...draft,
      parameters: draft.parameters.flatMap((one) => {
        if (one[0] !== name) return [one];
        return written === undefined ? [] : [[name, written] as const];
      }),
    }),
  };
}

function shape(
  sort: Sort,
  part: keyof HeaderDraft,
  what: string,
  change: Partial<HeaderDraft>,
): Feature<HeaderDraft> {
  return { name: `${part}: ${what}`, sort, part, apply: (draft) => ({ ...draft, ...change }) };
}

function renamed(sort: Sort, what: string, rename: (name: string) => string): Feature<HeaderDraft> {
  return {
    name: `names: ${what}`,
    sort,
    part: 'names',
    apply: (draft) => ({
      ...draft,
      parameters: draft.parameters.map(([name, written]) => [rename(name), written] as const),
    }),
  };
}

/** RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1. */
export const CHALLENGE_FEATURES: readonly Feature<HeaderDraft>[] = [
  shape('valid', 'scheme', 'in lower case', { scheme: 'bearer' }),
  shape('valid', 'scheme', 'DPoP', { scheme: 'DPoP' }),
  shape('valid', 'scheme', 'Basic', { scheme: 'Basic' }),
  shape('valid', 'separator', 'without a space', { separator: ',' }),
  shape('valid', 'separator', 'with a tab', { separator: ' ,\t' }),
  shape('valid', 'separator', 'empty elements', { separator: ', ,, ' }),
  shape('valid', 'before', 'another challenge', { before: 'Basic realm="x", ' }),
  shape('valid', 'before', 'another challenge with the same names', { before: 'Basic scope="other", ' }),
  shape('valid', 'before', 'a token68', { before: 'Negotiate abc==, ' }),
  shape('valid', 'after', 'another challenge', { after: ', Basic realm="x"' }),
  shape('valid', 'after', 'a second Bearer with its own scope', { after: ', Bearer scope="other"' }),
  renamed('valid', 'in capitals', (name) => name.toUpperCase()),
  parameter('valid', 'scope', 'none', undefined),
  parameter('valid', 'error', 'as a token', 'invalid_token'),
  parameter('valid', 'error', 'escaped', '"invalid\\_token"'),
  parameter('valid', 'scope', 'with a comma within', '"read, write"'),
  parameter('valid', 'resource_metadata', 'none', undefined),
  parameter('odd', 'resource_metadata', 'without quotes', METADATA),
  parameter('odd', 'resource_metadata', 'in single quotes', `'${METADATA}'`),
  parameter('odd', 'resource_metadata', 'relative', '"/.well-known/oauth-protected-resource"'),
  parameter('odd', 'scope', 'empty', '""'),
  parameter('odd', 'scope', 'commas for spaces', '"read,write"'),
  parameter('odd', 'error', 'with spaces around', ' "invalid_token" '),
  shape('odd', 'separator', 'a space alone', { separator: ' ' }),
  shape('odd', 'after', 'the scope again', { after: ', scope="again"' }),
  shape('odd', 'after', 'a comma', { after: ',' }),
  shape('hostile', 'after', 'a quote that never ends', { after: ', realm="x' }),
  shape('hostile', 'after', 'what is no token', { after: ', (x)=1' }),
  shape('hostile', 'before', 'our names within a value of Basic', {
    before: 'Basic realm="resource_metadata=https://evil.example/", ',
  }),
  shape('hostile', 'before', 'a name that ends alike', { before: 'Bearer x-scope="admin", ' }),
  shape('hostile', 'scheme', 'one that begins alike', { scheme: 'BearerX' }),
  parameter('hostile', 'error', 'with a name of ours in it', '"scope=admin"'),
  parameter('hostile', 'resource_metadata', 'a script', '"javascript:alert(1)"'),
  parameter('hostile', 'scope', 'a name of the prototype beside it', '"read write", __proto__="x"'),
];
