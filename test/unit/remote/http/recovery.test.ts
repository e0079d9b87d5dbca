import { describe, expect, it } from 'vitest';
import {
  MAX_RECOVERIES,
  MAX_STEP_UPS,
  NO_RECOVERIES,
  nextRecovery,
} from '../../../../src/remote/http/recovery.ts';

const unauthorized = { status: 401, wwwAuthenticate: undefined };
const scopeNeeded = { status: 403, wwwAuthenticate: { scheme: 'Bearer', error: 'insufficient_scope' } };

describe('another token is requested', () => {
  it('after a 401, up to the limit', () => {
    expect(nextRecovery(unauthorized, NO_RECOVERIES)).toEqual({ recoveries: 1, stepUps: 0 });
    expect(nextRecovery(unauthorized, { recoveries: MAX_RECOVERIES, stepUps: 0 })).toBeUndefined();
  });

  it('after a 403 for insufficient scope, up to the limit', () => {
    expect(nextRecovery(scopeNeeded, NO_RECOVERIES)).toEqual({ recoveries: 0, stepUps: 1 });
    expect(nextRecovery(scopeNeeded, { recoveries: 0, stepUps: MAX_STEP_UPS })).toBeUndefined();
  });

  it('with separate counts for both', () => {
    expect(nextRecovery(scopeNeeded, { recoveries: MAX_RECOVERIES, stepUps: 0 })).toBeDefined();
    expect(nextRecovery(unauthorized, { recoveries: 0, stepUps: MAX_STEP_UPS })).toBeDefined();
  });

  it.each([400, 403, 404, 407, 429, 500])('not after a %i', (status) => {
    expect(
      nextRecovery(
        { status, wwwAuthenticate: { scheme: 'Bearer', errorDescription: 'insufficient_scope' } },
        NO_RECOVERIES,
      ),
    ).toBeUndefined();
  });
});
