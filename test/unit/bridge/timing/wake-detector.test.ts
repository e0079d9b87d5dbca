import { expect, it } from 'vitest';
import { wentAhead } from '../../../../src/bridge/timing/wake-detector.ts';

it.each([
  ['in time', 2_000, false],
  ['late, on a busy machine', 11_000, false],
  ['after a nap', 13_000, true],
  ['after a night', 8 * 3_600_000, true],
  ['with a clock that was set back', -3_600_000, false],
])('a check %s', (_name, after, expected) => {
  expect(wentAhead(1_000_000, 1_000_000 + after)).toBe(expected);
});
