import { expect, test } from 'vitest';
import { isNestedDeeper } from '../../../src/protocol/json/json-scan.ts';

test.each([
  ['', 0],
  ['"[[["', 0],
  ['[]', 1],
  ['[[],[],{}]', 2],
  ['{"a":{"b":[1]}}', 3],
  ['{"a\\"[":"]{\\\\","b":[]}', 2],
  ['["\\"[[[[[[[["]', 1],
  ['["[[[ without an end', 1],
  ['["[[[ without an end \\', 1],
  [`${'['.repeat(1_000)}${']'.repeat(1_000)}`, 1_000],
])('%#: %s is %d levels deep (SECURITY.md, attack 17)', (text, depth) => {
  expect(isNestedDeeper(text, depth)).toBe(false);
  if (depth > 0) expect(isNestedDeeper(text, depth - 1)).toBe(true);
});
