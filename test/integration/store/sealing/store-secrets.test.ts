import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storeSecrets } from '../../../../src/compose/settings/store-secrets.ts';
import { fileState } from '../../../../src/config/sources/read-file.ts';
import { silentLogger } from '../../../../src/platform/log/logger.ts';
import { nextStoreKey } from '../../../../src/protocol/store/store-key.ts';
import { redactor } from '../../../../src/redaction/secrets.ts';
import { createTemporaryHome, type TemporaryHome } from '../../../peers/processes/home.ts';

const KEY = Buffer.alloc(32, 3);
let home: TemporaryHome;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(() => home.close());

/** Runs this program as `--store-key-command`; `later` moves the clock on, in milliseconds. */
async function asked(program: string, env: Record<string, string> = {}) {
  const script = join(home.folder, 'keys.mjs');
  await writeFile(script, program);
  let now = 0;
  const ask = storeSecrets(
    { kind: 'command', words: [process.execPath, script, home.folder] },
    { env: { PATH: process.env.PATH, ...env }, clock: { monotonic: () => now }, logger: silentLogger },
  );
  const later = (ms: number) => {
    now += ms;
  };
  return { ask, later };
}

const COUNT = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
const count = process.argv[2] + '/count';
appendFileSync(count, '.');
const runs = readFileSync(count, 'utf8').length;
`;
const runs = async () => (await readFile(join(home.folder, 'count'), 'utf8')).length;

it('runs the program once for all callers, and keeps its keys out of the log', async () => {
  const { ask } = await asked(`${COUNT} console.error('a note'); console.log('${KEY.toString('base64')}')`);
  const [first] = await Promise.all([ask(), ask()]);
  expect((await ask()).map((each) => Buffer.from(each))).toEqual([KEY]);
  expect(first).toHaveLength(1);
  expect(await runs()).toBe(1);
  for (const form of ['base64', 'base64url', 'hex'] as const)
    expect(redactor.redact(`it is ${KEY.toString(form)} here`)).not.toContain(KEY.toString(form));
});

it('gives the program its own environment, without our secrets', async () => {
  const program = `
    const ours = Object.keys(process.env).filter((name) => name.startsWith('MCP_DRAWBRIDGE_'));
    console.log(ours.length === 0 && process.env.AWS_PROFILE === 'p' ? '${KEY.toString('hex')}' : 'none');`;
  const { ask } = await asked(program, {
    AWS_PROFILE: 'p',
    MCP_DRAWBRIDGE_CREDENTIALS: '{}',
    MCP_DRAWBRIDGE_STORE: 'x',
  });
  expect(await ask()).toHaveLength(1);
});

it('reports the failure without quoting the output, and tries again after a pause', async () => {
  const fails = `${COUNT} if (runs === 1) { console.log('canary-of-the-program'); process.exit(4); } console.log('${KEY.toString('hex')}')`;
  const { ask, later } = await asked(fails);
  await expect(ask()).rejects.toThrow(/--store-key-command.*failed \(4\)/);
  await expect(ask()).rejects.not.toThrow(/canary/);
  expect(await runs()).toBe(1);
  later(5_000);
  expect(await ask()).toHaveLength(1);
  expect(await runs()).toBe(2);
});

it('refuses an invalid key', async () => {
  const { ask } = await asked(`console.log('canary-of-the-program')`);
  await expect(ask()).rejects.toMatchObject({ code: 'config', message: expect.stringMatching(/32 bytes/) });
  await expect(ask()).rejects.not.toThrow(/canary/);
});

it('reads a file again when it has changed, and keeps what it had while that cannot be used', async () => {
  const file = join(home.folder, 'keys');
  const [first, second] = [KEY, Buffer.from(nextStoreKey(KEY, Buffer.alloc(32, 4)))];
  const write = (text: string) => writeFile(file, text, { mode: 0o600 });
  await write(first.toString('hex'));
  const warnings: string[] = [];
  const logger = { warn: (text: string) => void warnings.push(text) };
  const ask = storeSecrets(
    { kind: 'secrets', secrets: [first], file: { path: file, state: fileState(file) } },
    { env: {}, clock: { monotonic: () => 0 }, logger },
  );
  const before = await ask();
  expect(await ask()).toBe(before);
  await write(`${second.toString('hex')}\n${first.toString('hex')}`);
  expect((await ask()).map((each) => Buffer.from(each))).toEqual([second, first]);
  expect(redactor.redact(`it is ${second.toString('hex')}`)).not.toContain(second.toString('hex'));
  const both = await ask();
  await write('half a ke');
  expect(await ask()).toBe(both);
  // A key of another store: logins would have other names.
  await write(Buffer.alloc(32, 5).toString('hex'));
  expect(await ask()).toBe(both);
  expect(warnings).toHaveLength(2);
  await rm(file);
  expect(await ask()).toBe(both);
});

it('runs the program again where its keys open no login, once in a minute', async () => {
  const { ask, later } = await asked(`${COUNT} console.log(String(runs % 10).repeat(64) + 'ab'.repeat(32))`);
  const before = await ask();
  await ask();
  expect(await ask(true)).toBe(before);
  later(60_000);
  expect(await ask()).toBe(before);
  expect(Buffer.from((await ask(true))[0] ?? '')).toEqual(
    Buffer.concat([Buffer.alloc(32, 0x22), Buffer.alloc(32, 0xab)]),
  );
  await ask(true);
  expect(await runs()).toBe(2);
});
