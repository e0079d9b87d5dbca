import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { SignInStatus } from '../../../src/store/lease/lease.ts';
import { type BrowserMode, createFakeBrowser, type FakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { faults } from '../../peers/faults/faults.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { isLinux } from '../../peers/processes/tools.ts';
import { createSignInWorld, type SignInWorld } from '../../peers/worlds/sign-in-world.ts';

const STARTER = fileURLToPath(new URL('../../peers/worlds/sign-in-starter.ts', import.meta.url));
const CANARY = 'canary-4711';

interface Started {
  readonly host: ChildProcess;
  readonly face: SignInStatus;
  readonly output: () => string;
}

/** A host in a process group of its own starts a sign-in, with secrets lying about in its environment. */
async function startSignInFrom(world: SignInWorld, browser: FakeBrowser): Promise<Started> {
  const request = world.request(await world.takeLease(), { home: world.folder });
  const host = spawn(process.execPath, ['--import', 'tsx', STARTER, JSON.stringify(request)], {
    env: { PATH: process.env.PATH, HOME: world.folder, BROWSER: browser.command, API_TOKEN: CANARY },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  onTestFinished(() => {
    if (host.exitCode === null && host.signalCode === null) killGroup(host);
  });
  let output = '';
  for (const stream of [host.stdout, host.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  await once(host.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  const face = await faceWhere(world, ({ address }) => address !== undefined);
  return { host, face, output: () => output };
}

/** The host and all in its process group, at once. */
function killGroup(host: ChildProcess): void {
  process.kill(-(host.pid as number), 'SIGKILL');
}

/** Faces are files that another process writes: looked at every 20 ms until one fits. */
async function faceWhere(world: SignInWorld, fits: (face: SignInStatus) => boolean): Promise<SignInStatus> {
  const giveUpAt = Date.now() + 15_000;
  for (;;) {
    const face = await world.leases.readStatus(world.key);
    if (face !== undefined && fits(face)) return face;
    if (Date.now() > giveUpAt) throw new Error(`no such face; the last is ${JSON.stringify(face)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function gone(pid: number): Promise<void> {
  const giveUpAt = Date.now() + 15_000;
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    if (Date.now() > giveUpAt) throw new Error(`process ${pid} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function withBrowser(
  mode: BrowserMode,
  run: (world: SignInWorld, browser: FakeBrowser) => Promise<void>,
) {
  await using world = await createSignInWorld();
  await using browser = await createFakeBrowser(world.folder, mode);
  await run(world, browser);
}

test('the sign-in completes although the host was killed during it', () =>
  withBrowser('ignore', async (world, browser) => {
    const { host, face } = await startSignInFrom(world, browser);
    killGroup(host);
    await once(host, 'exit');
    const [opened] = await browser.waitForOpened();
    const page = await visit(opened?.address ?? '');
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('You are signed in') });
    expect((await world.record())?.tokens?.accessToken).toMatch(/./);
    await gone(face.pid);
    expect(browser.opened).toHaveLength(1);
    expect(world.authorization.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  }));

test('neither browser nor sign-in process see a secret, and a chatty browser is not heard (SECURITY.md, attacks 4, 5, 40)', () =>
  withBrowser('chatty', async (world, browser) => {
    // Holds the sign-in process long enough to be looked at.
    world.authorization.failExchange(faults.delay(500));
    const { face, output } = await startSignInFrom(world, browser);
    const argv = await readFile(`/proc/${face.pid}/cmdline`, 'utf8').catch(() => undefined);
    const environment = await readFile(`/proc/${face.pid}/environ`, 'utf8').catch(() => undefined);
    const [arrived] = await browser.waitForArrived();
    expect(arrived).toMatchObject({ status: 200, body: expect.stringContaining('You are signed in') });
    await gone(face.pid);
    expect(output()).toBe('started\n');
    const [opened] = browser.opened;
    expect(opened?.argv).toEqual([opened?.address]);
    expect(JSON.stringify(opened?.env)).not.toContain(CANARY);
    expect(opened?.env).toMatchObject({ HOME: world.folder });
    if (!isLinux()) return;
    expect(argv?.split('\0').slice(-3)).toEqual([PROGRAM, '__sign-in', '']);
    expect(environment).toContain(`HOME=${world.folder}`);
    expect(environment).not.toContain(CANARY);
  }));

test('SIGTERM ends the sign-in cleanly: status, lease and port', () =>
  withBrowser('ignore', async (world, browser) => {
    const { face } = await startSignInFrom(world, browser);
    process.kill(face.pid, 'SIGTERM');
    const failed = await faceWhere(world, ({ phase }) => phase === 'failed');
    expect(failed.error).toMatchObject({ code: 'aborted' });
    await gone(face.pid);
    const redirect = new URL(face.address ?? '').searchParams.get('redirect_uri') ?? '';
    await expect(visit(redirect)).rejects.toThrow('ECONNREFUSED');
    expect((await world.leases.create(world.key, Date.now())).kind).toBe('created');
  }));

test('a browser that fails to start is reported to all waiting bridges, and the address still works', () =>
  withBrowser('crash', async (world, browser) => {
    const started = await startSignInFrom(world, browser);
    const face = await faceWhere(world, ({ browserOpenedAt }) => browserOpenedAt === 0);
    expect((await visit(face.address ?? '')).status).toBe(200);
    await gone(started.face.pid);
    expect(browser.opened).toHaveLength(1);
  }));

test('a sign-in process with nonsense as input exits', async () => {
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  const child = spawn(process.execPath, [PROGRAM, '__sign-in'], { stdio: [...stdio] });
  child.stdin?.end('{"key":"../../etc"}');
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
});
