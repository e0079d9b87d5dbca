import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

const CANARY = 's3cr3t-canary';
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

let home: TemporaryHome;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(() => home.close());

/** Runs the built program to its end, with nothing on stdin. */
async function run(
  argv: readonly string[],
  extra: Record<string, string> = {},
  node: readonly string[] = [],
) {
  const child = spawn(process.execPath, [...node, PROGRAM, ...argv], { env: home.env(extra) });
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

test.each(['--help', '-h', 'help'])('%s: the help on stdout, and nothing else', async (flag) => {
  const { code, stdout, stderr } = await run([flag]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('mcp-drawbridge URL [PORT] [options]');
  expect(stdout).toContain('"command": "npx"');
});

test.each<[readonly string[], string]>([
  [['--help', 'all'], '--max-message-size BYTES'],
  [['login', '--help'], 'mcp-drawbridge login URL [options]'],
])('%j: more of it', async (argv, part) => {
  const { code, stdout } = await run(argv);
  expect(code).toBe(0);
  expect(stdout).toContain(part);
});

test.each(['--version', '-v', 'version'])('%s: the version of the package', async (flag) => {
  expect(await run([flag])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('exit 2, the reason on stderr, nothing on stdout', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['no address', [], ['the address of the MCP server is missing']],
    [
      'a misspelt flag',
      ['https://x.example', '--alow-http'],
      ['unknown flag "--alow-http"', 'did you mean --allow-http?'],
    ],
    [
      'a bad value',
      ['https://x.example', '--auth-timeout', 'x'],
      ['--auth-timeout', 'expected seconds', 'got "x"'],
    ],
    ['what is not built', ['https://x.example', '--keep-alive', 'x'], ['--keep-alive is not supported yet']],
    ['help on nothing', ['help', 'lgoin'], ['no help on "lgoin"', 'did you mean login?']],
    ['plain http', ['http://x.example/mcp'], ['plain http', '--allow-http']],
    ['a missing file', ['https://x.example', '--config', '/nowhere.json'], ['--config', 'ENOENT']],
    [
      'an unset variable',
      ['https://x.example', '--header', `X: \${UNSET_HERE}`],
      ['"UNSET_HERE", which is not set'],
    ],
  ])('%s', async (_, argv, said) => {
    const { code, stdout, stderr } = await run(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const part of said) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test.each<[string, readonly string[], Record<string, string>]>([
    [
      'a header broken at its space',
      ['https://x.example', '--header', 'Authorization:', 'Bearer', CANARY],
      {},
    ],
    ['a line break in a variable', ['https://x.example', '--header', `X: \${V}`], { V: `${CANARY}\r\nY: z` }],
    ['a password in the address', [`https://me:${CANARY}@x.example/`], {}],
    ['a secret in a flag that is not built', ['https://x.example', `--client-secret=${CANARY}`], {}],
    ['the environment', ['https://x.example'], { MCP_DRAWBRIDGE_CREDENTIALS: CANARY }],
  ])('%s, without showing it (SECURITY.md, attacks 41, 42)', async (_, argv, extra) => {
    const { code, stdout, stderr } = await run(argv, extra);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain(CANARY);
  });

  test('a config file that is not JSON is not quoted', async () => {
    mkdirSync(home.state, { recursive: true });
    const file = join(home.folder, 'c.json');
    writeFileSync(file, `{"header": "Authorization: ${CANARY}", }`);
    const { code, stderr } = await run(['https://x.example'], { MCP_DRAWBRIDGE_CONFIG: file });
    expect(code).toBe(2);
    expect(stderr).toContain('is not valid JSON');
    expect(stderr).not.toContain(CANARY);
  });
});

test('an older Node gets one line: the version found, the one needed, the path', async () => {
  const preload = join(home.folder, 'old.cjs');
  writeFileSync(
    preload,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.0' } });",
  );
  expect(await run(['--version'], {}, ['--require', preload])).toEqual({
    code: 1,
    stdout: '',
    stderr: `mcp-drawbridge: Node 20.18.1 or newer is needed, this is Node 20.18.0 (${process.execPath})\n`,
  });
});
