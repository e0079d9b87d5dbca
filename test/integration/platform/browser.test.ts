import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBrowser } from '../../../src/platform/desktop/browser.ts';

const ADDRESS = 'https://as.example/authorize?a=1&b=$(touch marker)';
const OPENED = 'https://as.example/authorize?a=1&b=%24%28touch%20marker%29';
const CANARY = 'canary-4711';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'browser-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that notes what it was given, then does as `rest` says. */
async function opener(
  rest = '',
): Promise<{ command: string; seen(): Promise<{ argv: string[]; env: Record<string, string> }> }> {
  const log = join(folder, 'seen.json');
  const script = join(folder, 'open it.mjs');
  await writeFile(
    script,
    `import { renameSync, writeFileSync } from 'node:fs';
     writeFileSync(${JSON.stringify(log)} + '~', JSON.stringify({ argv: process.argv.slice(2), env: process.env }));
     renameSync(${JSON.stringify(log)} + '~', ${JSON.stringify(log)});
     ${rest}`,
  );
  return {
    command: `'${process.execPath}' '${script}'`,
    seen: async () => JSON.parse(await readFile(log, 'utf8')),
  };
}

const session = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/x', LC_ALL: 'C.UTF-8' };

test('the opener gets the address as one argument, an environment without secrets, and no shell (SECURITY.md, attacks 2, 4)', async () => {
  const { command, seen } = await opener();
  const BROWSER = `${command} --tab`;
  const open = createBrowser({
    ...session,
    BROWSER,
    GITHUB_TOKEN: CANARY,
    https_proxy: `http://u:${CANARY}@p`,
    NODE_OPTIONS: '',
  });
  expect(await open(ADDRESS)).toEqual({ kind: 'opened', command: process.execPath });
  const { argv, env } = await seen();
  expect(argv).toEqual(['--tab', OPENED]);
  expect(env).toMatchObject({ ...session, BROWSER });
  expect(JSON.stringify(env)).not.toContain(CANARY);
});

test('a failing opener is reported with each command that was tried', async () => {
  const { command } = await opener('process.exit(3);');
  const open = createBrowser({ ...session, BROWSER: `${folder}/missing:${command}:${folder}` });
  expect(await open(ADDRESS)).toEqual({
    kind: 'not-opened',
    reason: `${folder}/missing: ENOENT, ${process.execPath}: exit code 3, ${folder}: EACCES`,
  });
});

test('tries the next browser after one that failed, and none after one that worked', async () => {
  const { command, seen } = await opener();
  const open = createBrowser({ ...session, BROWSER: `${folder}/missing:${command} first:${command} second` });
  expect(await open(ADDRESS)).toEqual({ kind: 'opened', command: process.execPath });
  expect((await seen()).argv).toEqual(['first', OPENED]);
});

test('a browser that stays in the foreground counts as opened', async () => {
  const { command, seen } = await opener('setTimeout(() => {}, 5000);');
  const open = createBrowser({ ...session, BROWSER: command });
  expect(await open(ADDRESS)).toEqual({ kind: 'opened', command: process.execPath });
  expect((await seen()).argv).toEqual([OPENED]);
});

test('says so when there is nothing to open a browser with', async () => {
  const commands: string[] = [];
  const open = createBrowser({ ...session, BROWSER: 'one:two' }, async ({ command }) => {
    commands.push(command);
    return { kind: 'failed', reason: 'ENOENT' };
  });
  expect(await open(ADDRESS)).toEqual({ kind: 'not-opened', reason: 'one: ENOENT, two: ENOENT' });
  expect(commands).toEqual(['one', 'two']);
});

test.each(['--help', 'file:///etc/passwd', 'https://u:p@as.example/'])(
  'starts nothing for %s',
  async (address) => {
    const script = join(folder, 'run');
    await writeFile(script, `#!/bin/sh\ntouch '${folder}/marker'\n`);
    await chmod(script, 0o700);
    const open = createBrowser({ ...session, BROWSER: script });
    await expect(open(address)).rejects.toMatchObject({ code: 'browser' });
    await expect(readFile(join(folder, 'marker'))).rejects.toThrow('ENOENT');
    expect(await open(ADDRESS)).toEqual({ kind: 'opened', command: script });
    expect(await readFile(join(folder, 'marker'), 'utf8')).toBe('');
  },
);
