import { describe, expect, test } from 'vitest';
import { originalRange, type Unescaped, unescapedCopies } from '../../../src/redaction/unescaped.ts';

const textsOf = (text: string) => unescapedCopies(text).map((copy) => copy.text);
/** What the only other reading of `escaped` is. */
function unescaped(escaped: string): string {
  const copies = textsOf(`<${escaped}>`);
  expect(copies.length, copies.join(' | ')).toBe(2);
  return (copies[1] as string).slice(1, -1);
}

describe('decoding of an escape', () => {
  test.each([
    ['\\/', '/'],
    ['\\"', '"'],
    ["\\'", "'"],
    ['\\\\', '\\'],
    ['\\b', '\b'],
    ['\\f', '\f'],
    ['\\n', '\n'],
    ['\\r', '\r'],
    ['\\t', '\t'],
    ['\\u0041', 'A'],
    ['\\u004a', 'J'],
    ['\\u{41}', 'A'],
    ['\\u{1F600}', '😀'],
    ['\\u{00004a}', 'J'],
    ['\\x4A', 'J'],
    ['%41', 'A'],
    ['%7e', '~'],
    ['%4A', 'J'],
    ['%C3%A4', 'ä'],
    ['%f0%9f%98%80', '😀'],
    ['&#65;', 'A'],
    ['&#0065;', 'A'],
    ['&#x4a;', 'J'],
    ['&#X4A;', 'J'],
    ['&#x1F600;', '😀'],
    ['&lt;', '<'],
    ['&GT;', '>'],
    ['&quot;', '"'],
    ['&apos;', "'"],
    ['&nbsp;', ' '],
    ['&sol;', '/'],
    ['&plus;', '+'],
    ['&equals;', '='],
    ['&lowbar;', '_'],
    ['&period;', '.'],
    ['&colon;', ':'],
    ['&semi;', ';'],
    ['&comma;', ','],
    ['&num;', '#'],
    ['&percnt;', '%'],
    ['&dollar;', '$'],
    ['&excl;', '!'],
    ['&ast;', '*'],
    ['&lpar;', '('],
    ['&rpar;', ')'],
    ['&quest;', '?'],
    ['&commat;', '@'],
    ['&lsqb;', '['],
    ['&rsqb;', ']'],
    ['&bsol;', '\\'],
    ['&hat;', '^'],
    ['&grave;', '`'],
    ['&lcub;', '{'],
    ['&verbar;', '|'],
    ['&rcub;', '}'],
    ['&amp;', '&'],
  ])('%s is %j', (escaped, character) => {
    expect(unescaped(escaped)).toBe(character);
    expect(unescaped(`-${escaped}-${escaped}-`)).toBe(`-${character}-${character}-`);
  });

  test.each([
    'plain',
    '\\q',
    '\\u004',
    '\\u{}',
    '\\u{1234567}',
    '\\u{110000}',
    '\\x4',
    '%4',
    '%g1',
    '%4g',
    '100 %',
    '&;',
    '&a;',
    '&amp',
    '&nonesuch;',
    '&muchtoolong;',
    '&#;',
    '&#x;',
    '&#12345678;',
    '&#x1234567;',
    '&#1114112;',
    '&__proto__;',
  ])('%s is not an escape', (text) => {
    expect(unescapedCopies(`<${text}>`)).toEqual([{ text: `<${text}>`, starts: undefined }]);
  });

  test('decodes the highest code point', () => {
    expect(unescaped('\\u{10ffff}')).toBe('\u{10ffff}');
    expect(unescaped('&#1114111;')).toBe('\u{10ffff}');
  });
});

describe('positions in the source', () => {
  test('each code unit of the copy maps to a position in the text, and so does its end', () => {
    expect(unescapedCopies('ab%41cd')[1]).toEqual({ text: 'abAcd', starts: [0, 1, 2, 5, 6, 7] });
    expect(unescapedCopies('%41')[1]).toEqual({ text: 'A', starts: [0, 3] });
    expect(unescapedCopies('x&#x1F600;y')[1]).toEqual({ text: 'x😀y', starts: [0, 1, 1, 10, 11] });
  });

  test('a position in a copy of a copy maps to the text', () => {
    const twice = unescapedCopies('a%2541b').find(({ text }) => text === 'aAb');
    expect(twice).toEqual({ text: 'aAb', starts: [0, 1, 6, 7] });
  });

  test.each<[string, Unescaped, number, number, [number, number]]>([
    ['plain', { text: 'abc', starts: undefined }, 1, 2, [1, 2]],
    ['an escape in the middle', { text: 'abAcd', starts: [0, 1, 2, 5, 6, 7] }, 1, 3, [1, 5]],
    ['up to the end', { text: 'abAcd', starts: [0, 1, 2, 5, 6, 7] }, 3, 5, [5, 7]],
    ['half of what an escape stands for', { text: 'x😀y', starts: [0, 1, 1, 10, 11] }, 0, 2, [0, 10]],
    ['half of it at the end', { text: '😀', starts: [0, 0, 9] }, 0, 1, [0, 9]],
  ])('%s', (_, copy, start, end, range) => {
    expect(originalRange(copy, start, end)).toEqual(range);
  });
});

describe('nested escapes', () => {
  test('decodes one kind at a time, in every order', () => {
    expect(textsOf('%5Cu0041')).toEqual(['%5Cu0041', '\\u0041', 'A']);
    expect(textsOf('\\u002541')).toEqual(['\\u002541', '%41', 'A']);
    expect(textsOf('\\x%34\\u0031')).toContain('\\x41');
  });

  test('decodes three levels and no more', () => {
    expect(textsOf('%25252541')).toEqual(['%25252541', '%252541', '%2541', '%41']);
  });

  test('makes one copy for two ways to the same text', () => {
    const copies = textsOf('%41&#66;');
    expect(new Set(copies).size).toBe(copies.length);
    expect(copies).toEqual(['%41&#66;', 'A&#66;', '%41B', 'AB']);
  });

  test('makes at most sixteen copies', () => {
    const text = '\\u0025\\/%26%5cx41&amp;&#92;u0041&percnt;25%25%2541\\\\u0026amp;';
    expect(textsOf(text.repeat(2)).length).toBeLessThanOrEqual(16);
  });
});
