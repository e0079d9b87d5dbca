import fc from 'fast-check';

/** What terminals, headers and readers of text take for something else than text (.github/SECURITY.md, attacks 22, 24). */
const TRAPS = [
  '\r\nX-Evil: 1',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\u202etxt.exe\u2066',
  '\ufeff',
  '\ud800',
  '\u2028',
  '"; rm -rf ~; "',
  '\\',
  '',
  ' ',
  'x'.repeat(5_000),
  '\u0000'.repeat(300),
];

export const hostileText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...TRAPS),
  fc.tuple(fc.string(), fc.constantFrom(...TRAPS), fc.string()).map((parts) => parts.join('')),
);

/** RFC 6749 appendix A, VSCHAR without the space. */
export const visibleText = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map(asCharacter),
  minLength: 1,
});

export function asCharacter(code: number): string {
  return String.fromCodePoint(code);
}

const deep = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** JSON that is a value, and none that a schema expects. */
const ODD_JSON = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-1',
  '-0',
  '1e999',
  '-1e999',
  '1e-999',
  '123456789012345678901234567890',
  '0.1',
  '{"toString":1,"valueOf":1}',
  '{"toString":null,"valueOf":null,"length":3}',
  '{"__proto__":{"polluted":true}}',
  '{"then":1,"toJSON":1}',
  '[[[[[["x"]]]]]]',
  '["\\u0000","\\ud800"]',
];

/** Deeper than the stack, for who walks it with calls. */
const DEEP_JSON = [deep('[', ']', 20_000), deep('{"a":', '}', 20_000)];

/** The JSON text of anything. */
export const jsonText = fc.oneof(
  { arbitrary: fc.constantFrom(...DEEP_JSON), weight: 1 },
  { arbitrary: fc.constantFrom(...ODD_JSON), weight: 9 },
  { arbitrary: fc.json({ maxDepth: 3 }), weight: 4 },
  { arbitrary: hostileText.map((text) => JSON.stringify(text)), weight: 6 },
);

/** Names that mean something to the language and nothing to OAuth. */
const PROTOTYPE_WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'toJSON',
  'then',
];

type Fields = Readonly<Record<string, fc.Arbitrary<string>>>;
type Members = readonly (readonly [name: string, text: string])[];

/** What is wrong with one member: another value in its place, missing, there twice. */
const fault = fc.oneof(
  jsonText.map(
    (text) =>
      ([name]: Members[number]): Members => [[name, text]],
  ),
  fc.constant((): Members => []),
  jsonText.map(
    (text) =>
      (member: Members[number]): Members => [[member[0], text], member],
  ),
  jsonText.map(
    (text) =>
      (member: Members[number]): Members => [member, [member[0], text]],
  ),
);

/**
 * The text of an object with these members, each given as the text of its fitting values, with up to two faults among them and up to two
 * members beside them; now and then the text is not that of an object at all.
 */
export function objectText(fields: Fields): fc.Arbitrary<string> {
  const names = Object.keys(fields);
  const faults = fc.array(fc.tuple(fc.constantFrom(...names), fault), { maxLength: 2 });
  const others = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...PROTOTYPE_WORDS), fc.string()), jsonText), {
    maxLength: 2,
  });
  const whole = fc.tuple(fc.record(fields), faults, others).map(([texts, all, more]) => {
    const faulty = new Map(all);
    const members = Object.entries(texts).flatMap((member) => faulty.get(member[0])?.(member) ?? [member]);
    return `{${[...members, ...more].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
  });
  return fc.oneof(
    { arbitrary: whole, weight: 20 },
    { arbitrary: fc.tuple(whole, fc.nat(400)).map(([text, end]) => text.slice(0, end)), weight: 1 },
    { arbitrary: jsonText, weight: 1 },
    { arbitrary: hostileText, weight: 1 },
  );
}

/** Each of these as JSON text. */
export function oneOfJson(...values: readonly unknown[]): fc.Arbitrary<string> {
  return fc.constantFrom(...values.map((value) => JSON.stringify(value)));
}

const SCHEMES = [
  'https://',
  'https://',
  'https://',
  'http://',
  'javascript:',
  'file:///',
  'data:',
  'HTTPS://',
  '//',
  '',
];
const HOSTS = [
  'as.example',
  'as.example',
  'as.example:443',
  'AS.EXAMPLE',
  'mcp.example',
  'localhost',
  '127.0.0.1:1',
  '2130706433',
  '[::1]',
  '[::ffff:169.254.169.254]',
  '169.254.169.254',
  '10.0.0.1',
  '0x7f.1',
  'user:secret@as.example',
  'as.example@evil.example',
  'as.example\\evil.example',
  'as.example.',
  'ａs.example',
  '',
];
const PATHS = [
  '',
  '/',
  '/a',
  '/a/../b',
  '/a?b=c',
  '/a#b',
  '/$(touch m)',
  '/a b',
  '/\r\n',
  '/%0d%0a',
  '/é',
  '?',
  '/..;/',
];

/** An address in a document, fit to be used or not. */
export const addressText = fc.oneof(
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...SCHEMES), fc.constantFrom(...HOSTS), fc.constantFrom(...PATHS))
      .map((parts) => parts.join('')),
    weight: 4,
  },
  { arbitrary: hostileText, weight: 1 },
  { arbitrary: fc.webUrl(), weight: 1 },
);
