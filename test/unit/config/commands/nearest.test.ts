import { expect, test } from 'vitest';
import { nearest } from '../../../../src/config/commands/nearest.ts';
import { optionNames } from '../../../../src/config/options/options.ts';

test.each([
  ['hedaer', 'header'],
  ['header_file', 'header-file'],
  ['HEADER', 'header'],
  ['authtimeout', 'auth-timeout'],
  ['callback-prot', 'callback-port'],
  ['browser', 'no-browser'],
  ['xyzzy', undefined],
  ['', undefined],
  ['a'.repeat(100_000), undefined],
])('%s → %s', (text, name) => {
  expect(nearest(text, optionNames)).toBe(name);
});
