import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesDuring } from '../../peers/processes/processes.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

/** Makes the Node of a bridge look like another one, before the program is loaded. */
async function preload(world: ProgramWorld, code: string): Promise<readonly string[]> {
  const file = join(world.home.folder, 'preload.cjs');
  await writeFile(file, code);
  return ['--require', file];
}

const ELECTRON = `Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '39.0.0' } });`;
const execPathIs = (path: string) => `process.execPath = ${JSON.stringify(path)};`;

/** The sign-in in the bridge's own process: the tools come, with one tab, and no sign-in process was ever there. */
async function expectServed(world: ProgramWorld, code: string, env: Record<string, string> = {}) {
  const nodeArgs = await preload(world, code);
  await using host = world.start({ nodeArgs, env });
  const serve = async () => {
    await host.initialize();
    return host.request('tools/list', undefined, { timeoutMs: 30_000 });
  };
  const list = serve();
  const seen = await processesDuring(world.home.folder, list);
  expect(JSON.stringify((await list).result)).toContain('echo');
  host.assertPure();
  expect(world.browser.opened).toHaveLength(1);
  expect(world.authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  return { host, signInProcesses: seen.filter(({ argv }) => argv.split('\0').includes('__sign-in')) };
}

test("in Electron's Node the sign-in runs in the bridge's own process, with empty options", async () => {
  await using world = await createProgramWorld('follow');
  const empty = {
    MCP_DRAWBRIDGE_CLIENT_ID: '',
    MCP_DRAWBRIDGE_AUTH_TIMEOUT: '',
    MCP_DRAWBRIDGE_NO_BROWSER: '',
  };
  const { host, signInProcesses } = await expectServed(world, ELECTRON, empty);
  expect(signInProcesses).toEqual([]);
  expect(host.stderr).not.toContain('did not start');
  expect(host.stderr).not.toContain('MCP_DRAWBRIDGE_');
});

test('a Node that cannot be started, or exits at once: the sign-in runs in the bridge, and stderr says why', async () => {
  for (const [content, reason] of [
    [undefined, /did not start.*/],
    ['#!/bin/sh\nexit 5\n', /did not start.*/],
  ] as const) {
    await using world = await createProgramWorld('follow');
    const path = join(world.home.folder, 'not-node');
    if (content !== undefined) {
      await writeFile(path, content);
      await chmod(path, 0o755);
    }
    const { host } = await expectServed(world, execPathIs(path));
    expect(host.stderr).toMatch(reason);
  }
});

test('no process can be started at all (EAGAIN): the sign-in runs in the bridge, and the address is shown', async () => {
  await using world = await createProgramWorld('follow');
  const code = `
    const { ChildProcess } = require('node:child_process');
    const { spawn } = ChildProcess.prototype;
    ChildProcess.prototype.spawn = function (options) {
      if (!options.args.includes('__sign-in')) return spawn.call(this, options);
      throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' });
    };`;
  const { host } = await expectServed(world, code);
  expect(host.stderr).toContain('EAGAIN');
});

test('two bridges in Electron at once: one sign-in for both, under one lease', async () => {
  await using world = await createProgramWorld('follow');
  const nodeArgs = await preload(world, ELECTRON);
  await using one = world.start({ nodeArgs });
  await using other = world.start({ nodeArgs });
  const lists = await Promise.all(
    [one, other].map(async (host) => {
      await host.initialize();
      return host.request('tools/list', undefined, { timeoutMs: 30_000 });
    }),
  );
  for (const list of lists) expect(JSON.stringify(list.result)).toContain('echo');
  expect(world.browser.opened).toHaveLength(1);
  expect(world.authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
});

test('the bridge that runs the sign-in exits: another one that waits for it starts a new one', async () => {
  await using world = await createProgramWorld('ignore');
  const nodeArgs = await preload(world, ELECTRON);
  const one = world.start({ nodeArgs });
  await one.initialize();
  await world.browser.waitForOpened();
  await using other = world.start({ nodeArgs });
  await other.initialize();
  await expect.poll(() => other.stderr, { timeout: 15_000 }).toContain('Sign in to this server.');
  await world.browser.setMode('follow');
  const list = other.request('tools/list', undefined, { timeoutMs: 30_000 });
  await one.close();
  expect(JSON.stringify((await list).result)).toContain('echo');
});
