import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTool } from '../../../src/platform/process/run-tool.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { sleepersOf } from '../../peers/processes/processes.ts';
import { isPosix } from '../../peers/processes/tools.ts';

const LIMIT_MS = 30_000;
const sh = (script: string, stdin = '', limitMs = LIMIT_MS, env: Record<string, string> = {}) =>
  runTool({ command: '/bin/sh', args: ['-c', script], env, stdin, limitMs });

describe.skipIf(!isPosix())('a program run for one question', () => {
  it('gets stdin, and its outputs are kept separate', async () => {
    expect(await sh('cat; echo words >&2; exit 3', 'in ä\n')).toEqual({
      kind: 'exited',
      code: 3,
      stdout: 'in ä\n',
      stderr: 'words\n',
    });
  });

  it('inherits no variable', async () => {
    const end = await sh('/usr/bin/env', '', LIMIT_MS, { ONLY: 'this' });
    expect(end).toMatchObject({ stdout: expect.stringContaining('ONLY=this') });
    expect(end).not.toMatchObject({ stdout: expect.stringContaining('HOME=') });
  });

  it('has no terminal for prompts', async () => {
    expect(await sh('exec 2>/dev/null; : </dev/tty')).toMatchObject({
      kind: 'exited',
      code: expect.any(Number),
    });
    expect(
      await sh('[ "$(ps -o sid= -p $$)" -eq $$ ]', '', LIMIT_MS, { PATH: '/bin:/usr/bin' }),
    ).toMatchObject({
      code: 0,
    });
  });

  it('may exit without reading its input', async () => {
    expect(await sh('exit 0', 'x'.repeat(1024 ** 2))).toMatchObject({ kind: 'exited', code: 0 });
  });

  it('is killed with all its children at its time limit', async () => {
    await using home = await createTemporaryHome();
    expect(await sh('sleep 600 & sleep 600', '', 300, home.env())).toEqual({ kind: 'timed-out' });
    await expect.poll(() => sleepersOf(home.folder)).toEqual([]);
  });

  it('counts as done when it has exited, even if its children keep its output open', async () => {
    await using home = await createTemporaryHome();
    const end = await sh('echo answer; sleep 600 & exit 0', '', 300, home.env());
    expect(end).toMatchObject({ kind: 'exited', code: 0, stdout: 'answer\n' });
    await expect.poll(() => sleepersOf(home.folder)).toEqual([]);
  });

  it.each(['yes', 'yes >&2'])('is killed when it prints without end: %s', async (script) => {
    expect(await sh(script, '', LIMIT_MS, { PATH: '/bin:/usr/bin' })).toEqual({
      kind: 'failed',
      reason: 'printed more than 64 KiB',
    });
  });

  it('may exit by a signal', async () => {
    expect(await sh('kill -9 $$')).toEqual({ kind: 'failed', reason: 'was ended (SIGKILL)' });
  });

  it('may be missing, not a program, or have an invalid name', async () => {
    await using home = await createTemporaryHome();
    const file = join(home.folder, 'file');
    await writeFile(file, 'text');
    await chmod(file, 0o644);
    const run = (command: string) => runTool({ command, args: [], env: {}, stdin: '', limitMs: LIMIT_MS });
    expect(await run('/nonexistent/tool')).toMatchObject({ kind: 'failed', code: 'ENOENT' });
    expect(await run(file)).toMatchObject({ kind: 'failed', code: 'EACCES' });
    expect(await run('/bin/a\0b')).toMatchObject({ kind: 'failed', code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('starts although the working folder of this process is gone', async () => {
    await using home = await createTemporaryHome();
    const folder = join(home.folder, 'gone');
    await mkdir(folder);
    const program = `
      import { rmdirSync } from 'node:fs';
      import { runTool } from ${JSON.stringify(new URL('../../../src/platform/process/run-tool.ts', import.meta.url).href)};
      rmdirSync(process.cwd());
      console.log(JSON.stringify(await runTool({ command: '/bin/echo', args: ['hello'], env: {}, stdin: '', limitMs: 30000 })));
    `;
    const script = join(home.folder, 'program.mjs');
    await writeFile(script, program);
    const tsx = new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
    const end = await runTool({
      command: '/bin/sh',
      args: ['-c', 'cd "$1" && shift && exec "$@"', 'sh', folder, process.execPath, '--import', tsx, script],
      env: home.env(),
      stdin: '',
      limitMs: LIMIT_MS,
    });
    expect(end).toMatchObject({ kind: 'exited', stdout: expect.stringContaining('"stdout":"hello\\n"') });
    await rm(script);
  });
});
