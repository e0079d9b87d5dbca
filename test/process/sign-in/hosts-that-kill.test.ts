import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import type { RawHost } from '../../peers/hosts/raw-host.ts';
import { killTree } from '../../peers/processes/kill-tree.ts';
import { processesOf } from '../../peers/processes/processes.ts';
import { isLinux } from '../../peers/processes/tools.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';
import { createSignInWorld } from '../../peers/worlds/sign-in-world.ts';

/** The sign-in processes of the world's home. */
async function signInProcesses(world: ProgramWorld): Promise<number[]> {
  const seen = await processesOf(world.home.folder);
  return seen.filter(({ argv }) => argv.split('\0').includes('__sign-in')).map(({ pid }) => pid);
}

/** Resolves when the bridge follows a sign-in that has an address. */
async function shown(host: RawHost): Promise<void> {
  await expect.poll(() => host.stderr, { timeout: 15_000 }).toContain('Sign in to this server.');
}

/** A bridge whose sign-in has opened a tab that nobody has answered yet. */
async function waitingForPerson(world: ProgramWorld) {
  const host = world.start();
  onTestFinished(() => host.close());
  await host.initialize();
  const [opened] = await world.browser.waitForOpened();
  return { host, address: opened?.address ?? '' };
}

test.skipIf(!isLinux())(
  'a host that kills all descendants: the sign-in completes in the tab, and the next start serves the tools',
  async () => {
    await using world = await createProgramWorld('ignore');
    const { host, address } = await waitingForPerson(world);
    const signIn = await signInProcesses(world);
    expect(signIn).toHaveLength(1);
    const killed = await killTree(host.pid);
    await host.exited;
    expect(killed).not.toContain(signIn[0]);
    expect(await visit(address)).toMatchObject({
      status: 200,
      body: expect.stringContaining('You are signed in'),
    });
    await using next = world.start();
    await next.initialize();
    expect(JSON.stringify((await next.request('tools/list')).result)).toContain('echo');
    expect(world.browser.opened).toHaveLength(1);
    expect(world.authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  },
);

test.skipIf(!isLinux())('a sign-in process was killed: the next start opens a page', async () => {
  await using world = await createProgramWorld('ignore');
  const { host } = await waitingForPerson(world);
  for (const pid of await signInProcesses(world)) process.kill(pid, 'SIGKILL');
  await host.close();
  await world.browser.setMode('follow');
  await using next = world.start();
  await next.initialize();
  expect(JSON.stringify((await next.request('tools/list')).result)).toContain('echo');
  expect(world.browser.opened).toHaveLength(2);
});

test.skipIf(!isLinux())(
  'sign-in processes are killed again and again: three tabs, then only the address',
  async () => {
    await using world = await createProgramWorld('ignore');
    for (const tabs of [1, 2, 3, 3]) {
      await using host = world.start();
      await host.initialize();
      await shown(host);
      await world.browser.waitForOpened(tabs);
      for (const pid of await signInProcesses(world)) process.kill(pid, 'SIGKILL');
    }
    expect(world.browser.opened).toHaveLength(3);
  },
);

test.skipIf(!isLinux())(
  'a sign-in process is killed while another bridge waits for it: that bridge starts another',
  async () => {
    await using world = await createProgramWorld('ignore');
    const { host } = await waitingForPerson(world);
    await using other = world.start();
    await other.initialize();
    await shown(other);
    await world.browser.setMode('follow');
    const list = other.request('tools/list', undefined, { timeoutMs: 30_000 });
    await host.close();
    for (const pid of await signInProcesses(world)) process.kill(pid, 'SIGKILL');
    expect(JSON.stringify((await list).result)).toContain('echo');
    expect(world.browser.opened).toHaveLength(2);
  },
);

test('the bridge is gone before its sign-in process is ready: that process continues', async () => {
  await using world = await createSignInWorld();
  await using browser = await createFakeBrowser(world.folder, 'follow');
  const request = world.request(await world.takeLease(), { home: world.folder });
  const child = spawn(process.execPath, [PROGRAM, '__sign-in'], {
    env: { PATH: process.env.PATH, HOME: world.folder, BROWSER: browser.command },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // What it writes from now on is EPIPE.
  child.stdout.destroy();
  child.stdin.end(JSON.stringify(request));
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect((await world.record())?.tokens?.accessToken).toMatch(/./);
});
