import { spawn } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { isPosix } from '../../peers/processes/tools.ts';

const SERVER = 'https://mcp.example/mcp';
const LOGIN = JSON.stringify({ server: SERVER, access_token: 'access-token-1' });
const modeOf = async (path: string) => (await lstat(path)).mode & 0o7777;

/** A folder of the user's, with things in it that have names of ours. */
async function project(home: TemporaryHome, mode: number): Promise<string> {
  const folder = join(home.folder, 'project');
  await mkdir(join(folder, 'logs'), { recursive: true });
  await writeFile(join(folder, 'notes'), 'x', { mode: 0o644 });
  for (const path of [folder, join(folder, 'logs')]) await chmod(path, mode);
  return folder;
}

test('--home: an existing folder keeps its mode and its contents; what is created in it is private', async () => {
  await using home = await TemporaryHome.create();
  const folder = await project(home, 0o755);
  const args = ['--home', folder, '--debug'];
  expect(await runProgram(['tokens', 'import', ...args], home.env(), LOGIN)).toMatchObject({ code: 0 });
  expect((await runProgram(['token', SERVER, ...args], home.env())).stdout).toBe('access-token-1\n');
  expect(await modeOf(folder)).toBe(0o755);
  expect(await modeOf(join(folder, 'logs'))).toBe(0o755);
  expect(await modeOf(join(folder, 'notes'))).toBe(0o644);
  const made = [join(folder, 'credentials')];
  for (const name of ['credentials', 'logs']) {
    for (const file of await readdir(join(folder, name))) made.push(join(folder, name, file));
  }
  expect(made.length).toBeGreaterThanOrEqual(3);
  const [credentials, ...files] = await Promise.all(made.map(modeOf));
  expect(credentials).toBe(0o700);
  expect(files).toEqual(files.map(() => 0o600));
});

test('--home: with a folder that others can write to, bridge and commands exit with 2, say what to do, and write nothing there', async () => {
  await using home = await TemporaryHome.create();
  const folder = await project(home, 0o777);
  const args = ['--home', folder, '--debug'];
  await using host = startRawHost([SERVER, ...args], { env: home.env() });
  const ends = [
    await runProgram(['tokens', 'import', ...args], home.env(), LOGIN),
    await runProgram(['token', SERVER, ...args], home.env()),
    await runProgram(['logout', '--all', ...args], home.env()),
    { ...(await host.closed), stdout: '', stderr: host.stderr },
  ];
  for (const { code, stdout, stderr } of ends) {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${folder} can be written to by other users (its mode is 0777)`);
    expect(stderr).toContain(`chmod go-w ${folder}`);
  }
  expect((await readdir(folder)).sort()).toEqual(['logs', 'notes']);
  expect(await readdir(join(folder, 'logs'))).toEqual([]);
  expect(await modeOf(folder)).toBe(0o777);
});

test.skipIf(!isPosix())(
  'with an empty or relative HOME, the logins of the current folder are not used',
  async () => {
    await using home = await TemporaryHome.create();
    const planted = ['--home', join(home.folder, '.local', 'share', 'mcp-drawbridge')];
    expect(await runProgram(['tokens', 'import', ...planted], home.env(), LOGIN)).toMatchObject({ code: 0 });
    const status = async (HOME: string) => {
      const { MCP_DRAWBRIDGE_HOME: _, ...env } = home.env({ HOME });
      const child = spawn(process.execPath, [PROGRAM, 'status'], { env, cwd: home.folder, stdio: 'pipe' });
      return text(child.stdout);
    };
    expect(await status(home.folder)).toContain(SERVER);
    for (const HOME of ['', '.']) expect(await status(HOME)).not.toContain(SERVER);
  },
);
