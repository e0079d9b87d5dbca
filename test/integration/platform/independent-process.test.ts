import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type IndependentRequest,
  launchIndependent,
} from '../../../src/platform/process/independent-process.ts';
import { treeOf } from '../../peers/processes/kill-tree.ts';
import { isLinux } from '../../peers/processes/tools.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-independent-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A Node program, with what its code may use: `note(value)` writes a file for the test. */
function program(code: string, part: Partial<IndependentRequest> = {}): IndependentRequest {
  const file = JSON.stringify(join(folder, 'noted.json'));
  const note = `const note = (value) => {
    fs.writeFileSync(${file} + '.new', JSON.stringify(value));
    fs.renameSync(${file} + '.new', ${file});
  };`;
  return {
    command: process.execPath,
    args: ['-e', `const fs = require('node:fs'); ${note} ${code}`, ...(part.args ?? [])],
    env: part.env ?? {},
    stdin: part.stdin ?? '',
    readyWithinMs: part.readyWithinMs ?? 15_000,
  };
}

/** What the program noted, once it is there. */
async function noted<T>(): Promise<T> {
  const read = () => readFile(join(folder, 'noted.json'), 'utf8').catch(() => undefined);
  await expect.poll(read, { timeout: 15_000 }).toBeDefined();
  return JSON.parse((await read()) as string) as T;
}

test('the program gets its input, its arguments unchanged, and only its own environment', async () => {
  const args = ['$(touch x)', '`touch x`', '; touch x', '"', "'", '*', 'a b', '', '-c'];
  const code = `
    const stdin = fs.readFileSync(0, 'utf8');
    note({ stdin, args: process.argv.slice(1), canary: process.env.CANARY, own: process.env.OWN });
    process.stdout.write('ready\\n');`;
  process.env.CANARY = 'canary';
  const request = program(code, { args, env: { OWN: 'yes' }, stdin: 'the request\n' });
  const outcome = await launchIndependent(request).finally(() => delete process.env.CANARY);
  expect(outcome).toEqual({ kind: 'ready' });
  expect(await noted()).toEqual({ stdin: 'the request\n', args, own: 'yes' });
});

test.skipIf(!isLinux())('it is not a descendant of the process that started it', async () => {
  const code = `note(process.pid); process.stdout.write('ready\\n'); setInterval(() => {}, 1_000);`;
  expect(await launchIndependent(program(code))).toEqual({ kind: 'ready' });
  const pid = await noted<number>();
  try {
    await expect.poll(() => treeOf(process.pid), { timeout: 15_000 }).not.toContain(pid);
  } finally {
    // Throws where it does not run any more.
    process.kill(pid, 'SIGKILL');
  }
});

test('a program that is not ready in time is slow, and keeps running', async () => {
  const code = `setTimeout(() => note('went on'), 500);`;
  expect(await launchIndependent(program(code, { readyWithinMs: 1 }))).toEqual({ kind: 'slow' });
  expect(await noted()).toBe('went on');
});

test('a program that exits before it is ready has failed, however much input it had', async () => {
  const outcome = await launchIndependent(program('process.exit(7)', { stdin: 'x'.repeat(1024 * 1024) }));
  expect(outcome).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/before it was ready|code 7/),
  });
});

test.each([
  ['a program that is not there', '/nowhere/at/all'],
  ['a name with a NUL', 'a\0b'],
])('%s counts as failed, with a reason', async (_, command) => {
  const outcome = await launchIndependent({ ...program(''), command });
  expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/./) });
});
