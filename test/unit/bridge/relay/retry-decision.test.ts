import { describe, expect, it } from 'vitest';
import { DpopError } from '../../../../src/auth/errors/errors.ts';
import {
  type AttemptCounts,
  counted,
  type NextStep,
  nextStep,
  noAttempts,
  type SendFailure,
} from '../../../../src/bridge/relay/retry-decision.ts';
import { MAX_DELAYS, MAX_REOPENINGS } from '../../../../src/bridge/timing/limits.ts';
import { HttpError, type HttpErrorCode } from '../../../../src/platform/http/http.ts';
import { BadAnswerError, HttpStatusError } from '../../../../src/remote/http/errors.ts';

const broken = (code: HttpErrorCode, sent: boolean): SendFailure => ({
  kind: 'send-error',
  error: new HttpError(code, 'it broke', { sent }),
});
const status = new HttpStatusError('status 500', { status: 500 });

describe('a message is retried only if it cannot have run', () => {
  it.each<[string, SendFailure, Partial<AttemptCounts>, Partial<NextStep>]>([
    ['401, after each new token', { kind: 'unauthorized' }, {}, { kind: 'fail', mayHaveRun: false }],
    [
      '403, after each step-up',
      { kind: 'scope-needed', error: status },
      {},
      { kind: 'fail', mayHaveRun: false },
    ],
    ['404 with a session', { kind: 'session-lost' }, {}, { kind: 'reopen' }],
    [
      '404 too often',
      { kind: 'session-lost' },
      { reopenings: MAX_REOPENINGS },
      { kind: 'fail', mayHaveRun: false },
    ],
    ['Retry-After', { kind: 'retry-after', afterMs: 1500 }, {}, { kind: 'delay', ms: 1500 }],
    [
      'Retry-After too often',
      { kind: 'retry-after', afterMs: 1 },
      { delays: MAX_DELAYS },
      { kind: 'fail', mayHaveRun: false },
    ],
    ['502', { kind: 'unreachable', error: status }, {}, { kind: 'fail', mayHaveRun: true }],
    [
      '500',
      { kind: 'failed', error: status, mayHaveRun: true, sessionIsGone: false },
      {},
      { kind: 'fail', mayHaveRun: true },
    ],
    [
      '405',
      { kind: 'failed', error: status, mayHaveRun: false, sessionIsGone: false },
      {},
      { kind: 'fail', mayHaveRun: false },
    ],
    ['refused', broken('network', false), {}, { kind: 'await-server' }],
    ['connect timeout', broken('timeout', false), {}, { kind: 'await-server' }],
    ['reset', broken('network', true), {}, { kind: 'fail', mayHaveRun: true }],
    ['certificate', broken('tls', false), {}, { kind: 'fail', mayHaveRun: false }],
    [
      'a key that cannot sign',
      { kind: 'send-error', error: new DpopError('no key') },
      {},
      { kind: 'fail', mayHaveRun: false },
    ],
    ['address', broken('refused_address', false), {}, { kind: 'fail', mayHaveRun: false }],
    [
      'nonsense',
      { kind: 'send-error', error: new BadAnswerError('what') },
      {},
      { kind: 'fail', mayHaveRun: true },
    ],
  ])('%s', (_name, sendFailure, attempts, expected) => {
    expect(nextStep(sendFailure, { ...noAttempts, ...attempts })).toMatchObject(expected);
  });
});

describe('what counts as an attempt', () => {
  const before: AttemptCounts = { reopenings: 1, delays: 2, absences: 3 };
  it.each<[NextStep, Partial<AttemptCounts>]>([
    [{ kind: 'reopen' }, { reopenings: 2 }],
    [{ kind: 'delay', ms: 1 }, { delays: 3 }],
    [{ kind: 'await-server', error: new HttpError('network', 'it broke', { sent: false }) }, { absences: 4 }],
    [{ kind: 'fail', error: undefined, why: '', mayHaveRun: false }, {}],
  ])('$kind', (step, change) => {
    expect(counted(before, step)).toEqual({ ...before, ...change });
  });
});
