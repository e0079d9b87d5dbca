import { describe, expect, test } from 'vitest';
import { bearerChallenge, parseChallenges } from '../../../src/protocol/www-authenticate.ts';

function parsed(header: string) {
  return parseChallenges(header).map(({ scheme, token68, parameters }) => ({
    scheme,
    ...(token68 === undefined ? {} : { token68 }),
    ...(parameters.size === 0 ? {} : { parameters: Object.fromEntries(parameters) }),
  }));
}

describe('RFC 9110 §11.6.1', () => {
  test.each([
    ['', []],
    ['Bearer', [{ scheme: 'Bearer' }]],
    ['Bearer realm="a b"', [{ scheme: 'Bearer', parameters: { realm: 'a b' } }]],
    ['Bearer a=x b=y\tc=z', [{ scheme: 'Bearer', parameters: { a: 'x', b: 'y', c: 'z' } }]],
    ['Bearer REALM=x', [{ scheme: 'Bearer', parameters: { realm: 'x' } }]],
    ['Bearer a="1", b="2",c=3', [{ scheme: 'Bearer', parameters: { a: '1', b: '2', c: '3' } }]],
    ['Bearer a = "1" ,\tb\t=\t2', [{ scheme: 'Bearer', parameters: { a: '1', b: '2' } }]],
    ['Bearer a="say \\"hi\\", \\\\o/"', [{ scheme: 'Bearer', parameters: { a: 'say "hi", \\o/' } }]],
    ['Bearer a="x, Basic realm=y"', [{ scheme: 'Bearer', parameters: { a: 'x, Basic realm=y' } }]],
    ['Negotiate abc==', [{ scheme: 'Negotiate', token68: 'abc==' }]],
    [
      'Negotiate a/+~==, Bearer x="1"',
      [
        { scheme: 'Negotiate', token68: 'a/+~==' },
        { scheme: 'Bearer', parameters: { x: '1' } },
      ],
    ],
    [
      'Basic realm="x", Bearer error="e", scope="s t", DPoP algs="ES256"',
      [
        { scheme: 'Basic', parameters: { realm: 'x' } },
        { scheme: 'Bearer', parameters: { error: 'e', scope: 's t' } },
        { scheme: 'DPoP', parameters: { algs: 'ES256' } },
      ],
    ],
    ['Negotiate, Basic', [{ scheme: 'Negotiate' }, { scheme: 'Basic' }]],
    [', ,Bearer,, ,a=1', [{ scheme: 'Bearer', parameters: { a: '1' } }]],
  ])('%j', (header, expected) => {
    expect(parsed(header)).toEqual(expected);
  });
});

describe('invalid headers of real servers', () => {
  test.each([
    ['an address without quotes', 'Bearer a=https://x/y?z=1, b=2', { a: 'https://x/y?z=1', b: '2' }],
    ['no comma', 'Bearer a="1" b="2"', { a: '1', b: '2' }],
    ['twice, the first counts', 'Bearer a="1", A="2"', { a: '1' }],
    ['a quote that never ends is left out', 'Bearer a=1, b="2', { a: '1' }],
    ['a quote that ends in a backslash', 'Bearer a=1, b="2\\', { a: '1' }],
    ['what is no token is passed over', 'Bearer a=1, "b"=2, é=3, c=4', { a: '1', c: '4' }],
    ['names of the prototype', 'Bearer __proto__=1, constructor=2', { ['__proto__']: '1', constructor: '2' }],
  ])('%s', (_, header, expected) => {
    const [challenge, ...others] = parseChallenges(header);
    expect(others).toEqual([]);
    expect([...(challenge?.parameters ?? [])]).toEqual(Object.entries(expected));
  });
});

describe('the challenge that is used', () => {
  const metadata = 'resource_metadata="https://x/m"';
  test.each([
    ['none', undefined, {}],
    ['none that fits', 'Basic realm="x", Negotiate', {}],
    [
      'all that is used',
      `bearer ${metadata}, scope="a b", error="invalid_token", error_description="gone", realm="r"`,
      {
        scheme: 'bearer',
        resourceMetadata: 'https://x/m',
        scope: 'a b',
        error: 'invalid_token',
        errorDescription: 'gone',
      },
    ],
    [
      'the one that asks for more scope comes first',
      `Bearer ${metadata}, DPoP error="insufficient_scope", scope="more"`,
      { scheme: 'DPoP', scope: 'more', error: 'insufficient_scope', dpopError: 'insufficient_scope' },
    ],
    [
      'the error of a proof, where bearer tokens would do as well',
      `Bearer, DPoP error="invalid_dpop_proof", error_description="x"`,
      { scheme: 'Bearer', dpopError: 'invalid_dpop_proof' },
    ],
    ['empty is absent', 'Bearer resource_metadata="", scope=""', { scheme: 'Bearer' }],
    ['Bearer before DPoP', 'DPoP scope="d", Bearer scope="b"', { scheme: 'Bearer', scope: 'b' }],
    ['DPoP if there is no Bearer', 'Basic, DPoP scope="d"', { scheme: 'DPoP', scope: 'd', dpop: {} }],
    ['what may sign', 'DPoP algs="ES256  PS256"', { scheme: 'DPoP', dpop: { algs: ['ES256', 'PS256'] } }],
    ['of two DPoP, the one that says it', 'DPoP, DPoP algs=""', { scheme: 'DPoP', dpop: { algs: [] } }],
    [
      'the one that names its metadata',
      `Bearer scope="a", Bearer ${metadata}`,
      { scheme: 'Bearer', resourceMetadata: 'https://x/m' },
    ],
    ['not by the end of another name', 'Bearer xscope="no"', { scheme: 'Bearer' }],
  ])('%s', (_, header, expected) => {
    expect(bearerChallenge(header)).toEqual(expected);
  });
});

describe('hostile headers (SECURITY.md, attack 19)', () => {
  test('a header longer than 16 KiB is ignored', () => {
    const header = (length: number) => `Bearer a="${'x'.repeat(length - 11)}"`;
    expect(parseChallenges(header(16 * 1024))).toHaveLength(1);
    expect(parseChallenges(header(16 * 1024 + 1))).toEqual([]);
  });

  /** What makes a parser that goes back look at the same characters again and again. */
  test.each([
    ['spaces', ' '],
    ['commas', ','],
    ['equals signs', '='],
    ['quotes', '"'],
    ['backslashes', 'Bearer a="\\'],
    ['schemes', 'a '],
    ['schemes and spaces', `a${' '.repeat(100)}`],
    ['almost token68', 'a ///= ='],
    ['parameters', 'a=b '],
    ['open quotes', 'a="'],
  ])('parses 16 KiB of %s', (_, piece) => {
    const header = `Bearer ${piece.repeat(16 * 1024)}`.slice(0, 16 * 1024);
    expect(parseChallenges(header).length).toBeLessThanOrEqual(8 * 1024);
  });

  test('parses 10,000 headers from a seed, and each part of the result occurs in the header', () => {
    const random = seeded(19);
    const pieces = [
      'Bearer',
      'DPoP',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'scope',
      'a',
      '\t',
      '/',
      '==',
      '\u0000',
      'é',
      '𝕏',
    ];
    for (let round = 0; round < 10_000; round++) {
      const count = Math.floor(random() * 60);
      const header = Array.from({ length: count }, () => pieces[Math.floor(random() * pieces.length)]).join(
        '',
      );
      const unescaped = header.replaceAll('\\', '');
      for (const { scheme, token68, parameters } of parseChallenges(header)) {
        expect(header).toContain(scheme);
        expect(header).toContain(token68 ?? '');
        for (const value of parameters.values()) expect(unescaped).toContain(value.replaceAll('\\', ''));
      }
    }
  });

  test('reads back a header that it wrote', () => {
    const random = seeded(20);
    const characters = 'abc ,="\\/:;é';
    for (let round = 0; round < 2_000; round++) {
      const value = Array.from(
        { length: Math.floor(random() * 20) },
        () => characters[Math.floor(random() * characters.length)],
      ).join('');
      const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
      const header = `Basic abc=, Bearer x=${quoted}, y=${quoted}, Other z=1`;
      const bearer = parseChallenges(header)[1];
      expect([...(bearer?.parameters ?? [])]).toEqual([
        ['x', value],
        ['y', value],
      ]);
    }
  });
});

/** Mulberry32: the same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each([
  ['Bearer error="", error_description="", scope="", resource_metadata=""', { scheme: 'Bearer' }],
  ['DPoP error=""', { scheme: 'DPoP', dpop: {} }],
  [
    'DPoP error="use_dpop_nonce"',
    { scheme: 'DPoP', error: 'use_dpop_nonce', dpop: {}, dpopError: 'use_dpop_nonce' },
  ],
  ['XBearer scope="a"', {}],
  ['BearerX scope="a"', {}],
  [undefined, {}],
])('reads no more from %s than it contains', (header, expected) => {
  expect(bearerChallenge(header)).toStrictEqual(expected);
});
