import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutSecretsIn } from '../../../src/redaction/own-words.ts';
import { redactor } from '../../../src/redaction/secrets.ts';

const SECRET = 'own-words-secret-0815';
beforeAll(() => redactor.add(SECRET));
afterAll(() => redactor.forget(SECRET));

const nested = (depth: number, inside: unknown): unknown =>
  depth === 0 ? inside : { a: nested(depth - 1, inside) };

test.each<[string, unknown, unknown]>([
  ['a text', `x ${SECRET}`, 'x [redacted]'],
  ['a number', 7, 7],
  ['true', true, true],
  ['null', null, null],
  ['undefined', undefined, undefined],
  ['an array', [SECRET, 1, [SECRET]], ['[redacted]', 1, ['[redacted]']]],
  ['an object', { a: SECRET, b: { c: SECRET } }, { a: '[redacted]', b: { c: '[redacted]' } }],
  [
    'an entry of a list keeps what it is named by',
    { tools: [{ name: SECRET, uri: SECRET, uriTemplate: SECRET, title: SECRET }] },
    { tools: [{ name: SECRET, uri: SECRET, uriTemplate: SECRET, title: '[redacted]' }] },
  ],
  [
    'what is in an entry is no entry',
    { tools: [{ a: { name: SECRET } }] },
    { tools: [{ a: { name: '[redacted]' } }] },
  ],
  ['a name elsewhere', { name: SECRET }, { name: '[redacted]' }],
])('%s', (_, value, expected) => {
  expect(withoutSecretsIn(value)).toEqual(expected);
});

test('stops at the depth limit', () => {
  expect(withoutSecretsIn(nested(256, 'x'))).toEqual(nested(256, 'x'));
  expect(withoutSecretsIn(nested(256, { b: 1 }))).toEqual(nested(256, null));
  let list: unknown = 'x';
  for (let n = 0; n < 100_000; n++) list = [list];
  expect(JSON.stringify(withoutSecretsIn(list))).toBe(`${'['.repeat(256)}null${']'.repeat(256)}`);
});
