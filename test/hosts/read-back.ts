// `npm run test:hosts:read-back`: what `install` writes for real hosts, and what they say themselves of what they then have.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { CACHE, install } from './install.ts';
import { type HostProfile, PROFILES } from './profiles.ts';
import { Stage } from './stage.ts';

/** Below `CACHE` → the id for `--host`, and the command that lists servers. */
const LISTS: Readonly<
  Record<string, { readonly id: string; readonly args: readonly string[]; readonly shows: RegExp }>
> = {
  claude: { id: 'claude-code', args: ['mcp', 'list'], shows: /example: .*launch\.cjs.*Connected/ },
  codex: {
    id: 'codex',
    args: ['mcp', 'list', '--json'],
    shows:
      /"name": "example"[\s\S]*launch\.cjs[\s\S]*"env_vars": \[\s*"DISPLAY"[\s\S]*"startup_timeout_sec": 60/,
  },
  opencode: { id: 'opencode', args: ['mcp', 'list'], shows: /example[\s\S]*connected/i },
  qwen: { id: 'qwen', args: ['mcp', 'list'], shows: /example: .*launch\.cjs.*Connected/ },
  gemini: { id: 'gemini', args: ['mcp', 'list'], shows: /example: .*launch\.cjs.*Connected/ },
  copilot: { id: 'copilot', args: ['mcp', 'get', 'example'], shows: /Enabled[\s\S]*launch\.cjs/ },
  cline: {
    id: 'cline',
    args: ['config', 'mcp', '--json'],
    shows: /"name":"example","transportType":"stdio"/,
  },
};

const program = new URL('../../dist/launch.cjs', import.meta.url).pathname;
const LIMIT_MS = 90_000;

interface End {
  readonly code: number;
  readonly text: string;
}

function run(words: readonly string[], env: Record<string, string>, cwd: string): Promise<End> {
  const [command = '', ...args] = words;
  return new Promise((resolve) => {
    const child = execFile(command, args, { env, cwd, timeout: LIMIT_MS }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: `${stdout}${stderr}` }),
    );
    child.stdin?.end();
  });
}

async function tryHost(name: string): Promise<boolean> {
  const profile = PROFILES.find((each) => each.name === name);
  const list = LISTS[name];
  if (profile === undefined || list === undefined) throw new Error(`no such host: ${name}`);
  const launch = await install(profile, CACHE);
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-read-back-'));
  const server = await startMcpServer({});
  try {
    const world = { home, model: 'http://127.0.0.1:9', command: '', args: [], prompt: '' };
    const { env: own } = profile.configure(world);
    const bin = join(home, 'bin');
    await mkdir(bin);
    // Claude Code is looked for on the path.
    const words = launch.map((word) => `'${word}'`).join(' ');
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${words} "$@"\n`);
    await chmod(join(bin, name), 0o755);
    const env = {
      HOME: home,
      PATH: `${bin}:${process.env.PATH}`,
      TERM: 'dumb',
      NO_COLOR: '1',
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
      ...own,
    };
    const url = server.url.replace('127.0.0.1', 'localhost');
    const installed = await run(
      [process.execPath, program, 'install', url, '--host', list.id, '--name', 'example'],
      env,
      home,
    );
    const listed = await run([...launch, ...list.args], env, home);
    const isRead = list.shows.test(listed.text);
    const removed = await run(
      [process.execPath, program, 'uninstall', 'example', '--host', list.id],
      env,
      home,
    );
    const gone = await run([...launch, ...list.args], env, home);
    const isGone = !list.shows.test(gone.text);
    const isCalled = await callsTool(profile, launch, list.id);
    const cells = [
      name.padEnd(10),
      installed.code === 0 ? 'written' : 'NOT WRITTEN',
      isRead ? 'read back' : 'NOT READ',
      removed.code === 0 && isGone ? 'removed' : 'NOT REMOVED',
      isCalled === undefined ? 'tool called' : `TOOL NOT CALLED: ${isCalled}`,
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
    if (!isRead) process.stdout.write(`${installed.text}\n${listed.text}\n`);
    return installed.code === 0 && isRead && isGone && isCalled === undefined;
  } finally {
    await server.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Starts the host on the file that `install` has written, with a model that calls a tool; undefined if the call reached the server, else why not. */
async function callsTool(
  profile: HostProfile,
  launch: readonly string[],
  installId: string,
): Promise<string | undefined> {
  await using stage = await Stage.create({ profile, launch, program, display: '', installId }, false);
  const end = Date.now() + LIMIT_MS;
  const host = await stage.start({ keepsWaiting: () => Date.now() < end });
  await host.exited;
  return stage.calledAfter(host) === undefined ? host.wish.ending : undefined;
}

const wanted = process.argv.slice(2);
let isFine = true;
for (const name of wanted.length > 0 ? wanted : Object.keys(LISTS)) {
  if (!(await tryHost(name))) isFine = false;
}
process.exit(isFine ? 0 : 1);
