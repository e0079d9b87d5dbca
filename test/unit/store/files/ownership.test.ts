import { expect, test } from 'vitest';
import { slept } from '../../../../src/platform/clock-jump.ts';
import {
  comparePlace,
  judgeProcess,
  type Owner,
  parseProcStat,
} from '../../../../src/platform/process/process-identity.ts';
import { retryWhileHeldOpen } from '../../../../src/store/files/held-open.ts';
import { isLive, type LeaseFile } from '../../../../src/store/lease/lease.ts';

const HERE: Owner = { host: 'h', bootId: 'b', pidNamespace: 'pid:[1]', pid: 10, startTime: '100' };

test.each<[string, Partial<Owner>, string]>([
  ['this machine', {}, 'here'],
  ['this machine, renamed since', { host: 'other' }, 'here'],
  ['this machine before its last boot, or another of its name', { bootId: 'other' }, 'elsewhere'],
  ['another machine', { host: 'other', bootId: 'other' }, 'elsewhere'],
  ['another container', { pidNamespace: 'pid:[2]' }, 'elsewhere'],
])('an owner on %s', (_, difference, expected) => {
  expect(comparePlace({ ...HERE, ...difference }, HERE)).toBe(expected);
});

test.each([
  ['h', 'here'],
  ['other', 'elsewhere'],
])('compares host names without boot ids: %s', (host, expected) => {
  expect(comparePlace({ host, pid: 1 }, { host: 'h', pid: 2 })).toBe(expected);
});

test.each([
  ['no such process', { kind: 'none' }, 'dead'],
  ['not fetched by its parent', { kind: 'zombie' }, 'dead'],
  ['the same process', { kind: 'running', startTime: '100' }, 'alive'],
  ['the process id, used again', { kind: 'running', startTime: '101' }, 'dead'],
  ['a process that does not show its start', { kind: 'running', startTime: undefined }, 'unknown'],
] as const)('liveness: %s', (_, state, expected) => {
  expect(judgeProcess(HERE, state)).toBe(expected);
});

test('an owner without a start time counts as alive while its process id is in use', () => {
  const { startTime, ...unstarted } = HERE;
  expect(judgeProcess(unstarted, { kind: 'running', startTime: '100' })).toBe('unknown');
});

const STAT = '0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4242 0 0';

test.each([
  ['plain', `10 (node) S ${STAT}`, { kind: 'running', startTime: '4242' }],
  ['a name made to confuse', `10 (a) Z ) (b) R ${STAT}`, { kind: 'running', startTime: '4242' }],
  ['zombie', `10 (node) Z ${STAT}`, { kind: 'zombie' }],
  [
    'killed, with a thread that is still in a call',
    `10 (node) Z ${'0 '.repeat(16)}2 0 4242 0`,
    { kind: 'running', startTime: '4242' },
  ],
  ['suspended', `10 (node) T ${STAT}`, { kind: 'running', startTime: '4242' }],
])('/proc/PID/stat: %s', (_, stat, expected) => {
  expect(parseProcStat(stat)).toEqual(expected);
});

const NOW = 1_800_000_000_000;
const lease = (
  owner: 'alive' | 'dead' | 'unknown',
  deadline: number,
  touchedAt = NOW,
  part: { readonly adoptBy?: number } = {},
): LeaseFile => ({
  kind: 'lease',
  owner,
  touchedAt,
  lease: { nonce: 'n', owner: HERE, deadline, ...part },
});

test.each<[string, LeaseFile, boolean]>([
  ['no lease', { kind: 'none' }, false],
  ['not a lease', { kind: 'unreadable' }, false],
  ['a living owner', lease('alive', NOW + 1), true],
  ['a living owner, suspended', lease('alive', NOW + 1, NOW - 3e6), true],
  ['a living owner, past its deadline by less than it needs', lease('alive', NOW - 1_000), true],
  ['a living owner, long past its deadline', lease('alive', NOW - 61_000), false],
  [
    'a living one that waits for its sign-in to start',
    lease('alive', NOW + 1, NOW, { adoptBy: NOW + 1 }),
    true,
  ],
  ['a living one whose sign-in never started', lease('alive', NOW + 1, NOW, { adoptBy: NOW - 1 }), false],
  ['a dead owner', lease('dead', NOW + 1), false],
  ['an owner out of sight that is heard', lease('unknown', NOW + 1, NOW - 5_000), true],
  ['an owner out of sight that is silent', lease('unknown', NOW + 1, NOW - 31_000), false],
])('a sign-in is going on: %s', (_, found, expected) => {
  expect(isLive(found, NOW)).toBe(expected);
});

test.each([
  ['nothing special', 60_000, 60_000, false],
  ['the clock was corrected a little', 62_000, 60_000, false],
  ['eight hours of sleep', 28_800_000, 500, true],
  ['the clock was set back', -31_536_000_000, 1_000, true],
])('slept: %s', (_, wall, monotonic, expected) => {
  expect(slept({ wall: NOW, monotonic: 5 }, { wall: NOW + wall, monotonic: 5 + monotonic })).toBe(expected);
});

function failing(code: string, times: number) {
  let left = times;
  let calls = 0;
  const rename = async () => {
    calls++;
    if (left-- > 0) throw Object.assign(new Error(code), { code });
  };
  return { rename, calls: () => calls };
}

function stoppedClock() {
  let now = 0;
  return {
    monotonic: () => now,
    uptime: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

test.each(['EPERM', 'EBUSY', 'EACCES'])(
  'Windows: retries %s on rename for at most ten seconds',
  async (code) => {
    const passing = failing(code, 3);
    await retryWhileHeldOpen(passing.rename, { platform: 'win32', clock: stoppedClock() });
    expect(passing.calls()).toBe(4);
    const clock = stoppedClock();
    const lasting = failing(code, 1e6);
    await expect(retryWhileHeldOpen(lasting.rename, { platform: 'win32', clock })).rejects.toMatchObject({
      code,
    });
    expect(clock.monotonic()).toBe(10_000);
  },
);

test.each([
  ['linux', 'EPERM'],
  ['win32', 'ENOSPC'],
] as const)('%s: %s is reported as such', async (platform, code) => {
  const once = failing(code, 1);
  await expect(retryWhileHeldOpen(once.rename, { platform, clock: stoppedClock() })).rejects.toMatchObject({
    code,
  });
  expect(once.calls()).toBe(1);
});
