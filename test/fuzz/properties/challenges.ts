import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bearerChallenge, type Challenge, parseChallenges } from '../../../src/protocol/www-authenticate.ts';
import { property } from '../property.ts';
import { asCharacter, hostileText } from '../texts.ts';

/** .github/SECURITY.md, attack 19. */
const MAX_PARSE_MS = 10;
/** Of several measurements the smallest: a parser that goes back is slow each time, a machine that is busy is not. */
const MEASUREMENTS = 8;

const PIECES = [
  'Bearer',
  'DPoP',
  'Basic',
  'scope',
  'resource_metadata',
  'error',
  'a',
  'A',
  '__proto__',
  ' ',
  '\t',
  ',',
  '=',
  '==',
  '"',
  '\\',
  '\\"',
  '/',
  ', ',
  '="',
  '", ',
  '\u0000',
  'é',
  '𝕏',
  '\ud800',
];
const anyHeader = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join('')),
  hostileText,
);

/** Up to and beyond the limit, of one piece: what makes a parser that goes back look at the same characters again and again. */
const longHeader = fc
  .tuple(
    anyHeader,
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }),
    fc.constantFrom(16_000, 16_384, 20_000),
  )
  .map(([start, pieces, length]) => `Bearer ${start}${pieces.join('').repeat(length)}`.slice(0, length));

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });
const token68 = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,20}$/), fc.constantFrom('', '=', '=='))
  .map((parts) => parts.join(''));
/** RFC 9110 §5.6.4: what a quoted string can hold. */
const quotable = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\t', '"', '\\', ',', '='),
    fc.integer({ min: 0x20, max: 0x7e }).map(asCharacter),
  ),
  maxLength: 20,
});
const parameters = fc.uniqueArray(fc.tuple(token, quotable), {
  minLength: 1,
  maxLength: 5,
  selector: ([name]) => name.toLowerCase(),
});
const spaces = fc.constantFrom('', '', ' ', '\t ');

interface Printed {
  readonly text: string;
  readonly challenge: Omit<Challenge, 'parameters'> & {
    readonly parameters: readonly (readonly [string, string])[];
  };
}

/** A value as a token where it can be one and chance wills it, else quoted, with what need not be escaped escaped now and then. */
const printedValue = (value: string) =>
  fc.tuple(fc.boolean(), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })).map(([plain, escapes]) => {
    if (plain && value !== '' && [...value].every((one) => TOKEN_CHARACTERS.includes(one))) return value;
    const escaped = [...value].map((one, at) =>
      /["\\]/.test(one) || escapes[at] === true ? `\\${one}` : one,
    );
    return `"${escaped.join('')}"`;
  });

/** RFC 9110 §11.6.1 as anybody may write it. */
const printed: fc.Arbitrary<Printed> = fc.oneof(
  token.map((scheme) => ({ text: scheme, challenge: { scheme, parameters: [] } })),
  fc.tuple(token, token68).map(([scheme, text]) => ({
    text: `${scheme} ${text}`,
    challenge: { scheme, token68: text, parameters: [] },
  })),
  fc.tuple(token, parameters, spaces, spaces).chain(([scheme, all, before, after]) =>
    fc.tuple(...all.map(([, value]) => printedValue(value))).map((values) => ({
      text: `${scheme} ${all.map(([name], at) => `${name}${before}=${after}${values[at]}`).join(`${before},${after}`)}`,
      challenge: { scheme, parameters: all.map(([name, value]) => [name.toLowerCase(), value] as const) },
    })),
  ),
);

function withList({ parameters: map, ...rest }: Challenge): Printed['challenge'] {
  return { ...rest, parameters: [...map] };
}

/** Whether the characters stand in the text in this order, perhaps with others between. */
function standsIn(text: string, characters: string): boolean {
  let at = 0;
  for (const unit of characters.split('')) {
    at = text.indexOf(unit, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** Milliseconds of processor time. */
function costOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Challenges that could be taken for one another. */
const credible = fc
  .array(
    fc.tuple(
      fc.constantFrom('Bearer', 'bearer', 'DPoP', 'Basic'),
      fc.array(
        fc.tuple(
          fc.constantFrom('resource_metadata', 'scope', 'error', 'error_description', 'SCOPE', 'xscope'),
          fc.constantFrom('""', 'a', '"b c"', '"https://mcp.example/m"', '"x, scope=y"'),
        ),
        { maxLength: 3 },
      ),
    ),
    { maxLength: 4 },
  )
  .map((all) =>
    all.map(([scheme, pairs]) => `${scheme} ${pairs.map((one) => one.join('=')).join(', ')}`).join(', '),
  );

export const CHALLENGES = [
  property(
    'any WWW-Authenticate header is read, and nothing is read that it does not hold',
    anyHeader,
    (header) => {
      for (const { scheme, token68: text = '', parameters: map } of parseChallenges(header)) {
        const read = [scheme, text, ...[...map].flat()].join('');
        assert.ok(
          standsIn(header.toLowerCase(), read.toLowerCase()),
          'a challenge that the header does not hold',
        );
      }
    },
  ),
  property(
    'a header of any length is read within 10 ms',
    longHeader,
    (header) => {
      let least = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < MEASUREMENTS && least > MAX_PARSE_MS; attempt++) {
        least = Math.min(
          least,
          costOf(() => parseChallenges(header)),
        );
      }
      assert.ok(least <= MAX_PARSE_MS, `${least} ms`);
    },
    'dear',
  ),
  property(
    'a well-formed header is read as it was meant',
    fc.tuple(fc.array(printed, { minLength: 1, maxLength: 4 }), spaces),
    ([all, space]) => {
      const header = all.map(({ text }) => text).join(`${space},${space}`);
      assert.deepEqual(
        parseChallenges(header).map(withList),
        all.map(({ challenge }) => challenge),
      );
    },
  ),
  property(
    'the challenge that counts is one challenge of the header',
    fc.oneof(credible, anyHeader),
    (header) => {
      const { scheme, resourceMetadata, scope, error, errorDescription } = bearerChallenge(header);
      const given = {
        resource_metadata: resourceMetadata,
        scope,
        error,
        error_description: errorDescription,
      };
      const all = parseChallenges(header);
      const source = all.find(
        (one) =>
          one.scheme === scheme &&
          Object.entries(given).every(([name, value]) => (one.parameters.get(name) || undefined) === value),
      );
      const none = !all.some((one) => /^(bearer|dpop)$/i.test(one.scheme));
      assert.equal(source === undefined, none, 'parts of several challenges');
    },
  ),
];
