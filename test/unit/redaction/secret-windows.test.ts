import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretWindows } from '../../../src/redaction/secret-windows.ts';

function startsOf(windows: SecretWindows, text: string): number[] {
  const starts: number[] = [];
  windows.find(text, (start) => starts.push(start));
  return starts;
}

function windowsOf(length: number, ...texts: string[]): SecretWindows {
  const windows = new SecretWindows(length);
  for (const text of texts) windows.addAll(text);
  return windows;
}

describe('finds each window of a text at any position', () => {
  test.each<[string, string, string, number[]]>([
    ['alone', 'abcd', 'abcd', [0]],
    ['at the end', 'abcd', 'xxabcd', [2]],
    ['twice', 'abcd', 'abcd-abcd', [0, 5]],
    ['its beginning', 'abcdef', 'abcdx', [0]],
    ['its end', 'abcdef', 'xcdef', [1]],
    ['all of it', 'abcdef', 'abcdef', [0, 1, 2]],
    ['not', 'abcd', 'abc-d', []],
    ['the other way round', 'abcd', 'dcba', []],
    ['too short a text', 'abcd', 'abc', []],
    ['with NUL in front', '\0abc', 'abc', []],
    ['with NUL', '\0abc', 'x\0abc', [1]],
    ['beyond ASCII', 'äöü€', 'xäöü€', [1]],
    ['beyond ASCII, the first', 'a\u0080bc', 'x\u0080bca\u0080bc', [4]],
    ['beyond ASCII, another', 'äöü€', 'äöü₭', []],
  ])('%s', (_, secret, text, expected) => {
    expect(startsOf(windowsOf(4, secret), text)).toEqual(expected);
  });

  test('finds the same as a plain search', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(words, words, fc.integer({ min: 1, max: 4 }), (secret, text, length) => {
        const runs = new Set(
          Array.from({ length: Math.max(0, secret.length - length + 1) }, (_, at) =>
            secret.slice(at, at + length),
          ),
        );
        const expected = Array.from({ length: text.length }, (_, at) => at).filter(
          (at) => at + length <= text.length && runs.has(text.slice(at, at + length)),
        );
        expect(startsOf(windowsOf(length, secret), text)).toEqual(expected);
      }),
      { seed: 1 },
    );
  });
});

describe('equivalent spellings', () => {
  test.each([
    ['abcd', 'ABCD'],
    ['ABCD', 'abCd'],
    ['a+bc', 'a bc'],
    ['a-bc', 'a bc'],
    ['a+bc', 'a-bc'],
    ['a_bc', 'a/bc'],
  ])('%s and %s', (one, other) => {
    expect(startsOf(windowsOf(4, one), other)).toEqual([0]);
    expect(startsOf(windowsOf(4, other), one)).toEqual([0]);
  });

  test.each([
    ['a.bc', 'a bc'],
    ['a0bc', 'a1bc'],
    ['a@bc', 'a`bc'],
  ])('%s and %s are not', (one, other) => {
    expect(startsOf(windowsOf(4, one), other)).toEqual([]);
  });
});

describe('the table', () => {
  const many = Array.from({ length: 3_000 }, (_, n) => `secret-${String(n).padStart(5, '0')}`);

  test('grows, and keeps all entries', () => {
    const windows = windowsOf(12, ...many);
    expect(windows.size).toBe(3_000);
    for (const each of many) expect(startsOf(windows, each)).toEqual([0]);
    expect(startsOf(windows, 'secret-03000')).toEqual([]);
  });

  test('stores a repeated entry once', () => {
    const windows = windowsOf(4, 'abcd', 'abcd', 'ABCD');
    expect(windows.size).toBe(1);
    expect(windows.length).toBe(4);
  });

  test('makes one lookup for each window, and few more when half full', () => {
    const one = windowsOf(12, many[0] as string);
    const before = one.steps;
    startsOf(one, 'x'.repeat(100));
    expect(one.steps - before).toBeGreaterThanOrEqual(100 - 11);
    const full = windowsOf(12, ...many);
    const from = full.steps;
    startsOf(full, many.join('|').slice(0, 20_000));
    expect(full.steps - from).toBeGreaterThan(20_000);
    expect(full.steps - from).toBeLessThan(4 * 20_000);
  });

  test('makes no lookup when empty', () => {
    const empty = new SecretWindows(4);
    startsOf(empty, 'abcdabcd');
    expect(empty.steps).toBe(0);
    expect(empty.size).toBe(0);
  });
});
