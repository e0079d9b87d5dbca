import { describe, expect, test } from 'vitest';
import { capitalized, plainText, quote } from '../../../src/protocol/quote.ts';
import { redactor } from '../../../src/redaction/secrets.ts';

describe('quoted server texts (SECURITY.md, attack 24)', () => {
  test.each([
    ['plain', 'plain'],
    ['Grüße, 世界 🎉', 'Grüße, 世界 🎉'],
    ['\u001b[31mred\u001b[0m', '[31mred[0m'],
    ['\u009b2J', '2J'],
    ['\u001b]0;title\u0007x', ']0;titlex'],
    ['one\r\ntwo\tthree\u2028four\u0085five', 'one two three four five'],
    ['a\u202egnp.exe\u2066\u200f\u061c', 'agnp.exe'],
    ['zero\u200bwidth\ufeff\u00ad', 'zerowidth'],
    ['half \ud800 a pair', 'half a pair'],
    ['tags\u{e0041}\u{e0042}', 'tags'],
    ['  around  ', 'around'],
    ['\u0000\u0000', ''],
  ])('%j', (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  test('are cut at 200 characters, never inside a surrogate pair', () => {
    expect([...plainText('🎉'.repeat(201))]).toHaveLength(200);
    expect(plainText('🎉'.repeat(201))).not.toMatch(/\p{Cs}/u);
    expect(plainText('x'.repeat(200))).toBe('x'.repeat(200));
    expect(plainText('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    expect([...plainText('x\u0000'.repeat(10_000_000))]).toHaveLength(200);
  });

  test('a secret interrupted by removed characters is still found', () => {
    redactor.add('hunter two three');
    expect(plainText('a hunt\u200ber two three b')).toBe('a [redacted] b');
    expect(plainText('a hunter \r\n\t two\u2028three b')).toBe('a [redacted] b');
    redactor.forget('hunter two three');
  });

  test('cannot close their own quotation marks', () => {
    expect(quote('a" and more')).toBe(`"a' and more"`);
  });
});

test.each([
  ['the server is away', 'The server is away'],
  ['éa', 'Éa'],
  ['', ''],
])('%j starts a sentence as %j', (text, expected) => {
  expect(capitalized(text)).toBe(expected);
});
