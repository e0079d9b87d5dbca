import { describe, expect, it, test } from 'vitest';
import {
  memberText,
  rawChild,
  rawElements,
  rawMembers,
  rawObject,
} from '../../../../src/protocol/json/raw-json.ts';

describe('an object as raw members', () => {
  test.each([
    '{}',
    '{"a":1}',
    '{"a":12345678901234567890123,"b":1.0e+3}',
    '{"a":"}","b":"\\"{[,:","c":"\\\\"}',
    '{"a":{"b":[1,{"c":"]"}]},"d":[[],{}]}',
    '{"a\\"b":1,"":2}',
    '{"é😀":"\u2028"}',
  ])('%s stays the same', (text) => {
    expect(rawObject(rawMembers(text))).toBe(text);
  });

  it('drops blanks between its members and keeps those inside them', () => {
    expect(rawObject(rawMembers(' {\n "a" : [ 1 , 2 ] ,\t"b":\r\n{ "c" : 1 } } '))).toBe(
      '{"a":[ 1 , 2 ],"b":{ "c" : 1 }}',
    );
  });

  it('keeps the last of two members of the same name, and ignores the prototype', () => {
    expect([...rawMembers('{"a":1,"__proto__":2,"a":3}')]).toEqual([
      ['a', '3'],
      ['__proto__', '2'],
    ]);
  });

  it('has children only in objects', () => {
    expect(rawChild(rawMembers('{"a":[1]}'), 'a').size).toBe(0);
    expect(rawChild(rawMembers('{"a":{"b":null}}'), 'a').get('b')).toBe('null');
    expect(rawChild(new Map(), 'a').size).toBe(0);
  });

  it('is no deeper than it is long', () => {
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(rawMembers(deep).get('a')?.length).toBe(400_000);
  });
});

test.each([
  ['[]', []],
  ['[ ]', []],
  ['[1,"a,b",{"c":[1,2]} , null]', ['1', '"a,b"', '{"c":[1,2]}', 'null']],
])('the elements of %s', (text, elements) => {
  expect(rawElements(text)).toEqual(elements);
});

test.each([
  ['a quote', '{"\\"":false," ":{}}', '"', 'false'],
  ['a name that only ends alike', '{"ab":1,"b":2}', 'b', '2'],
  ['an escaped name', '{"\\u0061":1}', 'a', '1'],
])('reads one member and not its neighbours: %s', (_, object, name, text) => {
  expect(memberText(object, name)).toBe(text);
});

test('a missing name does not match one that contains it', () => {
  expect(memberText('{" ":{}}', '"')).toBeUndefined();
});
