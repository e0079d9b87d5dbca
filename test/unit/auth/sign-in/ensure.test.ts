import { expect, test } from 'vitest';
import { isBrowserPause } from '../../../../src/auth/sign-in/ensure.ts';

const MINUTE = 60_000;

const face = { nonce: 'n', pid: 1, startedAt: 0, deadline: 1 } as const;
const AT = 1_800_000_000_000;

test.each([
  ['no sign-in before', undefined, false],
  ['one that failed with a tab open', { ...face, phase: 'failed', browserOpenedAt: AT - MINUTE }, true],
  ['one whose process was killed', { ...face, phase: 'pending', browserOpenedAt: AT - MINUTE }, false],
  ['one whose process was killed at its start', { ...face, phase: 'starting' }, false],
  [
    'one that was stopped by a signal',
    { ...face, phase: 'failed', browserOpenedAt: AT - MINUTE, error: { code: 'aborted', message: '' } },
    false,
  ],
  [
    'one that was killed without a tab of its own, after one that nobody answered',
    { ...face, phase: 'pending', startedAt: AT - MINUTE, browserOpenedAt: AT - 2 * MINUTE },
    true,
  ],
  [
    'the third in ten minutes that was killed with a tab open',
    {
      ...face,
      phase: 'pending',
      browserOpenedAt: AT - MINUTE,
      killedBrowsers: [AT - 3 * MINUTE, AT - 2 * MINUTE],
    },
    true,
  ],
  [
    'the third that was killed, ten minutes after the first',
    {
      ...face,
      phase: 'pending',
      browserOpenedAt: AT - MINUTE,
      killedBrowsers: [AT - 10 * MINUTE, AT - 2 * MINUTE],
    },
    false,
  ],
  ['one that failed ten minutes ago', { ...face, phase: 'failed', browserOpenedAt: AT - 10 * MINUTE }, false],
  ['one that failed before any tab', { ...face, phase: 'failed' }, false],
  ['one that ended well', { ...face, phase: 'done', browserOpenedAt: AT - MINUTE }, false],
  ['a clock that was set back a year', { ...face, phase: 'failed', browserOpenedAt: AT + 3e10 }, false],
] as const)('no browser after %s', (_, before, expected) => {
  expect(isBrowserPause(before, AT)).toBe(expected);
});
