import { expect, test } from 'vitest';
import { chooseScope, cleanScope } from '../../../../src/auth/challenge/scope.ts';

test.each([
  ['nothing asked, nothing sent', undefined, undefined, undefined, undefined, undefined],
  ['the challenge', 'a b', ['c'], undefined, undefined, 'a b'],
  ['else the resource', undefined, ['c', 'd'], undefined, undefined, 'c d'],
  ['an empty challenge is none', '', ['c'], undefined, undefined, 'c'],
  ['an empty list is none', undefined, [], undefined, undefined, undefined],
  ['the user above all', 'a', ['c'], 'x y', ['offline_access'], 'x y'],
  ['the user wants none', 'a', ['c'], '', ['offline_access'], undefined],
  ["never the authorization server's list", undefined, undefined, undefined, ['p', 'q'], undefined],
  [
    'offline_access where it is listed',
    'a',
    undefined,
    undefined,
    ['offline_access', 'p'],
    'a offline_access',
  ],
  ['never alone', undefined, undefined, undefined, ['offline_access'], undefined],
  ['once', 'offline_access a', undefined, undefined, ['offline_access'], 'offline_access a'],
  ['not where it is not listed', 'a', undefined, undefined, ['p'], 'a'],
  ['what is no scope is left out', 'a "b" \u0000 ü c\\', undefined, undefined, undefined, 'a'],
])('%s', (_, challenged, resourceScopes, override, serverScopes, expected) => {
  expect(chooseScope(challenged, resourceScopes, override, serverScopes)).toBe(expected);
});

test('an overlong list is cut', () => {
  const scopes = cleanScope(Array.from({ length: 5_000 }, (_, index) => `scope-${index}`).join(' '));
  expect(scopes?.split(' ')).toHaveLength(60);
  expect(cleanScope('x'.repeat(257))).toBeUndefined();
  expect(cleanScope('x'.repeat(256))).toBe('x'.repeat(256));
  expect(cleanScope(' a\t\nb ')).toBe('a b');
});
