import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { CountedCall } from '../../peers/faults/kill-plan.ts';
import { isCallOf } from '../../peers/faults/refresh-steps.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import type { Instance } from '../../storm/instance.ts';
import { StormWorld } from '../../storm/world.ts';

/** A world in which a bridge is about to refresh, and the number of the call at which it is to be suspended. */
async function aboutToRefresh(at: (call: CountedCall) => boolean) {
  const world = await StormWorld.create();
  await world.lapse('trial', await world.signIn('trial'), true);
  const trial = await world.plan(0);
  const instance = world.start({ plan: trial, args: ['--profile', 'trial'] });
  expect(await instance.call()).toMatchObject({ kind: 'served' });
  await world.end(instance);
  const { calls } = await trial.said();
  const step = calls.find(at)?.step ?? 'lock';
  const nth = calls.filter((call) => isCallOf(call, step)).findIndex(at) + 1;
  expect(nth).toBeGreaterThan(0);
  await world.lapse('default', await world.signIn(), true);
  return { world, plan: await world.plan(nth, { step, signal: 'SIGSTOP' }) };
}

async function suspended({ host }: Instance): Promise<void> {
  await expect.poll(() => readFile(`/proc/${host.pid}/stat`, 'latin1'), { timeout: 15_000 }).toMatch(/\) T /);
}

const isRename = ({ name, on }: CountedCall) => name === 'rename' && on.endsWith('.1.answer');
const isPost = ({ name, step }: CountedCall) => name === 'write' && step === 'POST';

test('a logout survives a process that was suspended between its last read of the record and its rename', async () => {
  const { world, plan } = await aboutToRefresh(isRename);
  await using _ = world;
  const holder = world.start({ plan });
  const call = holder.call();
  await suspended(holder);
  // As if its lock had gone stale; the logout takes the next one.
  await world.ageLocks();
  await world.store.remove(world.key());
  world.authority.consent.mode = 'wait';
  holder.host.kill('SIGCONT');
  // It finds that it has nothing, and asks for a sign-in.
  await world.browser.waitForOpened(1);
  expect(await world.record()).toBeUndefined();
  world.authority.consent.allow();
  expect(await call).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ replays: 0 });
});

test('a login survives it too', async () => {
  const { world, plan } = await aboutToRefresh(isRename);
  await using _ = world;
  const holder = world.start({ plan });
  const call = holder.call();
  await suspended(holder);
  await world.ageLocks();
  const login = await world.signIn();
  holder.host.kill('SIGCONT');
  expect(await call).toMatchObject({ kind: 'served' });
  expect(await world.record()).toMatchObject({ family: login.family });
  expect((await world.record())?.tokens?.refreshToken).toBe(login.tokens?.refreshToken);
  expect(world.authority.counters).toMatchObject({ replays: 0 });
  expect(world.browser.opened).toHaveLength(0);
});

test('a holder that is suspended longer than its lock lasts is not overtaken: one POST, both are served', async () => {
  const { world, plan } = await aboutToRefresh(isPost);
  await using _ = world;
  const posted = world.authority.counters.refreshPosts;
  const holder = world.start({ plan });
  const first = holder.call();
  await suspended(holder);
  const other = world.start();
  const second = other.call();
  const shown = async () => JSON.parse((await runProgram(['status', '--json'], world.home.env())).stdout);
  const isHeld = expect.objectContaining({ lock: expect.objectContaining({ pid: holder.host.pid }) });
  expect(await shown()).toContainEqual(isHeld);
  // The real 15 s: the other one takes the lock over and finds the claim of a process that lives.
  await new Promise((resolve) => setTimeout(resolve, 16_000));
  expect(world.authority.counters.refreshPosts).toBe(posted);
  expect(await shown()).toContainEqual(isHeld);
  const table = await runProgram(['status'], world.home.env());
  expect(table.stdout).toMatch(new RegExp(`LOCKED BY[\\s\\S]*process ${holder.host.pid}\\b`));
  holder.host.kill('SIGCONT');
  expect(await first).toMatchObject({ kind: 'served' });
  expect(await second).toMatchObject({ kind: 'served' });
  expect(world.authority.counters).toMatchObject({ refreshPosts: posted + 1, replays: 0 });
  expect(world.browser.opened).toHaveLength(0);
}, 60_000);
