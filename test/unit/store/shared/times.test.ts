import { describe, expect, it, test } from 'vitest';
import type { NewRecord } from '../../../../src/store/record/record.ts';
import { clockOffset, shiftRecord, shiftStatus } from '../../../../src/store/shared/protocol/times.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

describe('the offset of this clock from the engine’s', () => {
  it('is measured', () => expect(clockOffset(undefined, 5_000, 3_000)).toBe(2_000));

  it.each([
    [2_000, 2_999, 2_000],
    [2_000, 1_001, 2_000],
    [2_000, 3_000, 3_000],
    [2_000, 1_000, 1_000],
    [-86_400_000, 0, 0],
  ])('was %s and is measured as %s: it is %s', (before, measured, offset) =>
    expect(clockOffset(before, 10_000 + measured, 10_000)).toBe(offset),
  );
});

describe('a record by another clock', () => {
  it('has its times shifted, and nothing else', () => {
    const record = { ...wholeRecord, stepUps: [1_000, 2_000] };
    expect(shiftRecord(record, 500)).toEqual({
      ...record,
      tokens: { ...record.tokens, obtainedAt: 1_800_000_000_500, expiresAt: 1_800_003_600_500 },
      lastRefresh: { ...record.lastRefresh, at: 1_800_000_000_500, retryAt: 1_800_000_001_500 },
      stepUps: [1_500, 2_500],
    });
    expect(shiftRecord(shiftRecord(record, 500), -500)).toEqual(record);
  });

  it('gets no times that it did not have', () => {
    const { tokens: _tokens, lastRefresh: _lastRefresh, ...bare } = wholeRecord;
    expect(shiftRecord(bare, 500)).toStrictEqual(bare);
    const some = {
      ...bare,
      tokens: { accessToken: 'a', tokenType: 'Bearer', obtainedAt: 1_000 },
      lastRefresh: { at: 2_000, outcome: 'ok' },
    } as NewRecord;
    expect(shiftRecord(some, 500)).toStrictEqual({
      ...some,
      tokens: { ...some.tokens, obtainedAt: 1_500 },
      lastRefresh: { ...some.lastRefresh, at: 2_500 },
    });
  });

  it('has no time before 1970, and none in parts of a millisecond', () => {
    const record = { ...wholeRecord, stepUps: [1_000, 100] };
    expect(shiftRecord(record, -500.4).stepUps).toEqual([500, 0]);
  });
});

test('the status of a sign-in is shifted; a browser that could not be opened has no time', () => {
  const status = { startedAt: 1_000, deadline: 2_000 } as Parameters<typeof shiftStatus>[0];
  expect(shiftStatus(status, 500)).toStrictEqual({ startedAt: 1_500, deadline: 2_500 });
  expect(shiftStatus({ ...status, browserOpenedAt: 1_100, killedBrowsers: [1_200] }, 500)).toStrictEqual({
    startedAt: 1_500,
    deadline: 2_500,
    browserOpenedAt: 1_600,
    killedBrowsers: [1_700],
  });
  expect(shiftStatus({ ...status, browserOpenedAt: 0 }, 500).browserOpenedAt).toBe(0);
});
