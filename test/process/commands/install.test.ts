import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

const SERVER = 'https://mcp.example.com/mcp';
const CANARY = 's3cr3t-canary-0123456789';

let home: TemporaryHome;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(() => home.close());

/** No program of a host is on this path, unless a test puts one there. */
const env = (extra: Record<string, string> = {}) => ({ ...home.env(extra), PATH: join(home.folder, 'bin') });
const run = (argv: readonly string[], extra: Record<string, string> = {}): Promise<CommandEnd> =>
  runProgram(argv, env(extra));

async function put(path: string, text: string): Promise<string> {
  const file = join(home.folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** Every file in the home, but for the state of the program. */
async function tree(): Promise<Record<string, string>> {
  const names = await readdir(home.folder, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const own = files.filter((file) => !file.startsWith(home.state));
  return Object.fromEntries(
    await Promise.all(own.sort().map(async (file) => [file, await readFile(file, 'utf8')])),
  );
}

const CURSOR = `{\n  "mcpServers": {\n    "github": { "command": "npx", "env": { "PERSONAL": "${CANARY}" } }\n  }\n}\n`;
const CODEX = '# mine\nmodel = "gpt-5"\n';

async function someHosts(): Promise<void> {
  await put('.cursor/mcp.json', CURSOR);
  await put('.codex/config.toml', CODEX);
  await mkdir(join(home.folder, '.config', 'zed'), { recursive: true });
}

describe('install', () => {
  test('without a terminal: shows what it would do, does nothing, and exits with 2', async () => {
    await someHosts();
    const before = await tree();
    const end = await run(['install', SERVER]);
    expect(end.code).toBe(2);
    for (const name of ['Cursor: ', 'Codex: ', 'Zed: ']) expect(end.stdout).toContain(name);
    expect(end.stdout).toContain('+    4      "example": {');
    expect(end.stdout).toContain('Nothing was changed');
    expect(end.stdout).not.toContain(CANARY);
    expect(await tree()).toEqual(before);
  });

  test('--yes writes into every host found, `hosts` lists it, and uninstall restores each byte', async () => {
    await someHosts();
    const before = await tree();
    const end = await run(['install', SERVER, '--yes', '--scope', 'a b']);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(end.stdout).toContain('To sign in now:');
    const { mcpServers } = JSON.parse(await readFile(join(home.folder, '.cursor/mcp.json'), 'utf8'));
    expect(mcpServers.example).toEqual({
      command: process.execPath,
      args: [PROGRAM, SERVER, '--scope', 'a b', '--home', home.state],
    });
    const listed = JSON.parse((await run(['hosts', '--json'])).stdout) as { id: string; ours: unknown[] }[];
    expect(listed.map(({ id, ours }) => [id, ours])).toEqual([
      ['cursor', [{ name: 'example', server: SERVER }]],
      ['codex', [{ name: 'example', server: SERVER }]],
      ['zed', [{ name: 'example', server: SERVER }]],
    ]);
    expect(await run(['uninstall', SERVER, '--yes'])).toMatchObject({ code: 0 });
    expect(await tree()).toEqual(before);
  });

  test('--host writes into that host only; a second time it is installed already; --dry-run changes nothing', async () => {
    await someHosts();
    const before = await tree();
    expect(await run(['install', SERVER, '--host', 'zed', '--dry-run'])).toMatchObject({ code: 0 });
    expect(await tree()).toEqual(before);
    expect(await run(['install', SERVER, '--host', 'zed'])).toMatchObject({ code: 0 });
    const { [join(home.folder, '.config/zed/settings.json')]: zed, ...others } = await tree();
    expect(others).toEqual(before);
    expect(JSON.parse(zed ?? '')).toHaveProperty('context_servers.example');
    const again = await run(['install', SERVER, '--host', 'zed']);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('is installed already') });
  });

  test('a host that was not found can be named, and an unknown one is refused with the nearest name', async () => {
    expect(await run(['install', SERVER, '--host', 'kiro'])).toMatchObject({ code: 0 });
    expect(await readFile(join(home.folder, '.kiro/settings/mcp.json'), 'utf8')).toContain(SERVER);
    expect(await run(['install', SERVER, '--host', 'cursr'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean cursor?'),
    });
    expect(await run(['install', SERVER, '--host', 'visual-studio'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('does not run on this system'),
    });
  });

  test('without any host: says so', async () => {
    expect(await run(['install', SERVER])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('No known host was found'),
    });
    expect(await tree()).toEqual({});
  });

  test('a file that cannot be parsed stays, with line, column and the text to paste; the others are written', async () => {
    await someHosts();
    const file = await put('.cursor/mcp.json', '{\n  "mcpServers": {\n    "a\u001b[31m": oops\n  }\n}\n');
    const end = await run(['install', SERVER, '--yes']);
    expect(end.code).toBe(1);
    expect(end.stdout).toContain(`${file}:3:`);
    expect(end.stdout).toContain('Paste this yourself:');
    expect(end.stdout).not.toContain('\u001b');
    expect(await readFile(file, 'utf8')).toContain('oops');
    expect(await readFile(join(home.folder, '.codex/config.toml'), 'utf8')).toContain(SERVER);
  });

  test('the contents of a file cannot move the cursor', async () => {
    await put('.cursor/mcp.json', '{\n  "mcpServers": {\n    "x": { "command": "\u009b2J\u202e" }\n  }\n}\n');
    const end = await run(['install', SERVER]);
    expect(end.stdout).toContain('\\u{9b}2J\\u{202e}');
    expect(end.stdout).not.toMatch(/[\u009b\u202e]/);
  });

  test('a secret goes only into a file that only the user can read', async () => {
    await someHosts();
    const address = `${SERVER}?api_key=${CANARY}`;
    const end = await run([
      'install',
      address,
      '--header',
      `X-Api-Key: ${CANARY}2`,
      '--host',
      'cursor',
      '--host',
      'codex',
    ]);
    expect(end.code).toBe(0);
    expect(`${end.stdout}${end.stderr}`).not.toContain(CANARY);
    const files = await tree();
    expect(files[join(home.folder, '.codex/config.toml')]).not.toContain(CANARY);
    const { mcpServers } = JSON.parse(files[join(home.folder, '.cursor/mcp.json')] ?? '');
    const { args } = mcpServers.example as { args: string[] };
    expect(JSON.stringify(args)).not.toContain(CANARY);
    const settings = args[args.indexOf('--config') + 1] ?? '';
    expect((await stat(settings)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(settings, 'utf8'))).toEqual({
      url: address,
      header: [`X-Api-Key: ${CANARY}2`],
    });
    // The same server is found by its address, and its settings go with the last entry.
    expect(await run(['uninstall', 'example', '--host', 'codex'])).toMatchObject({ code: 0 });
    expect((await stat(settings)).isFile()).toBe(true);
    expect(await run(['uninstall', address, '--yes'])).toMatchObject({ code: 0 });
    await expect(stat(settings)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(join(home.folder, '.cursor/mcp.json'), 'utf8')).toBe(CURSOR);
  });

  test('--project: an entry for every machine, and no secret', async () => {
    await mkdir(join(home.folder, 'work'));
    const inProject = async (...argv: string[]) => {
      const { execFile } = await import('node:child_process');
      return new Promise<{ code: number; text: string }>((resolve) => {
        execFile(
          process.execPath,
          [PROGRAM, ...argv],
          { cwd: join(home.folder, 'work'), env: env({ HTTPS_PROXY: 'http://proxy:1' }) },
          (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
        );
      });
    };
    expect(
      await inProject('install', SERVER, '--project', '--host', 'claude-code', '--host', 'vscode'),
    ).toMatchObject({ code: 0 });
    const entry = { type: 'stdio', command: 'npx', args: ['-y', 'mcp-drawbridge', SERVER] };
    expect(JSON.parse(await readFile(join(home.folder, 'work/.mcp.json'), 'utf8'))).toEqual({
      mcpServers: { example: entry },
    });
    expect(JSON.parse(await readFile(join(home.folder, 'work/.vscode/mcp.json'), 'utf8'))).toEqual({
      servers: { example: entry },
    });
    const refused = await inProject(
      'install',
      SERVER,
      '--project',
      '--header',
      `Cookie: ${CANARY}`,
      '--host',
      'vscode',
    );
    expect(refused.code).toBe(2);
    expect(refused.text).not.toContain(CANARY);
    expect(await inProject('uninstall', 'example', '--project', '--yes')).toMatchObject({ code: 0 });
    expect(await readdir(join(home.folder, 'work'))).toEqual([]);
  });

  test('--print and hosts that are not edited: the entry, where it goes, and nothing is written', async () => {
    const plain = await run(['install', SERVER, '--print']);
    expect(JSON.parse(plain.stdout)).toHaveProperty('mcpServers.example.args');
    const goose = await run(['install', SERVER, '--host', 'goose', '--npx']);
    expect(goose.stdout).toContain(join(home.folder, '.config/goose/config.yaml'));
    expect(goose.stdout).toContain('    cmd: "npx"');
    const cursor = await run(['install', SERVER, '--print', '--host', 'cursor', '--npx']);
    const link = /cursor:\/\/\S+config=(\S+)/.exec(cursor.stdout)?.[1] ?? '';
    expect(JSON.parse(Buffer.from(decodeURIComponent(link), 'base64').toString())).toEqual({
      command: 'npx',
      args: ['-y', 'mcp-drawbridge', SERVER, '--home', home.state],
    });
    expect(await tree()).toEqual({});
  });

  test('started by npx: the entry runs a copy that survives an emptied cache', async () => {
    await mkdir(join(home.folder, '.cursor'));
    const cache = join(home.folder, '.npm/_npx/0a1b2c/node_modules/mcp-drawbridge');
    await cp(dirname(PROGRAM), join(cache, 'dist'), { recursive: true });
    await cp(join(dirname(dirname(PROGRAM)), 'package.json'), join(cache, 'package.json'));
    const end = await runProgram(['install', SERVER, '--yes'], env(), '', join(cache, 'dist/launch.cjs'));
    expect(end.code).toBe(0);
    await rm(join(home.folder, '.npm'), { recursive: true });
    const { mcpServers } = JSON.parse(await readFile(join(home.folder, '.cursor/mcp.json'), 'utf8'));
    const [script = ''] = mcpServers.example.args as string[];
    expect(script).toMatch(/program\/mcp-drawbridge@[^/]+\/dist\/launch\.cjs$/);
    const version = await runProgram(['--version'], env(), '', script);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect((await runProgram(['hosts', '--json'], env())).stdout).toContain('"name": "example"');
  });
});

describe('Claude Code', () => {
  /** Does with its file what `claude mcp add-json` and `claude mcp remove` do, and writes down what it was asked for. */
  async function fakeClaude(): Promise<void> {
    const script = await put(
      'bin/claude',
      `#!${process.execPath}
const fs = require('node:fs');
const [, , mcp, verb, scopeFlag, scope, name, json] = process.argv;
const file = process.env.HOME + '/.claude.json';
fs.appendFileSync(process.env.HOME + '/asked', [mcp, verb, scopeFlag, scope, name].join(' ') + '\\n');
const state = JSON.parse(fs.readFileSync(file, 'utf8'));
state.mcpServers ??= {};
if (verb === 'add-json' && state.mcpServers[name]) { console.error('MCP server ' + name + ' already exists'); process.exit(1); }
if (verb === 'remove' && !state.mcpServers[name]) { console.error('No MCP server found with name: ' + name); process.exit(1); }
if (verb === 'add-json') state.mcpServers[name] = JSON.parse(json); else delete state.mcpServers[name];
fs.writeFileSync(file, JSON.stringify(state));
`,
    );
    await chmod(script, 0o755);
  }

  test('is changed by its own command, also if the name exists already', async () => {
    await put('.claude.json', '{"numStartups":3,"mcpServers":{}}');
    await fakeClaude();
    expect(await run(['install', SERVER, '--yes'])).toMatchObject({ code: 0 });
    expect(await run(['install', SERVER, '--yes', '--debug'])).toMatchObject({ code: 0 });
    const state = JSON.parse(await readFile(join(home.folder, '.claude.json'), 'utf8'));
    expect(state).toEqual({
      numStartups: 3,
      mcpServers: {
        example: {
          type: 'stdio',
          command: process.execPath,
          args: [PROGRAM, SERVER, '--debug', '--home', home.state],
        },
      },
    });
    expect(await run(['uninstall', 'example', '--yes'])).toMatchObject({ code: 0 });
    expect(await readFile(join(home.folder, '.claude.json'), 'utf8')).toBe(
      '{"numStartups":3,"mcpServers":{}}',
    );
    expect((await readFile(join(home.folder, 'asked'), 'utf8')).split('\n').slice(0, -1)).toEqual([
      'mcp add-json --scope user example',
      'mcp remove --scope user example',
      'mcp add-json --scope user example',
      'mcp remove --scope user example',
    ]);
  });

  test('an entry of mcp-remote with a secret stays: the command would pass it as an argument', async () => {
    const old = {
      command: 'npx',
      args: ['mcp-remote', SERVER, '--header', 'X-Key: ${KEY}'],
      env: { KEY: CANARY },
    };
    const text = JSON.stringify({ mcpServers: { old } });
    await put('.claude.json', text);
    await fakeClaude();
    const end = await run(['install', '--replace', 'mcp-remote', '--yes']);
    expect(end.code).toBe(1);
    expect(end.stdout).toContain('only as arguments');
    expect(end.stdout).not.toContain(CANARY);
    expect(await readFile(join(home.folder, '.claude.json'), 'utf8')).toBe(text);
    await expect(readFile(join(home.folder, 'asked'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('without its command, its file is left alone and the command is shown', async () => {
    await put('.claude.json', '{"numStartups":3}');
    const end = await run(['install', SERVER, '--yes']);
    expect(end.code).toBe(1);
    expect(end.stdout).toContain('claude mcp add-json --scope user example');
    expect(await readFile(join(home.folder, '.claude.json'), 'utf8')).toBe('{"numStartups":3}');
  });
});

describe('uninstall', () => {
  test('removes entries that run this program, and no others of that name', async () => {
    await put('.cursor/mcp.json', '{ "mcpServers": { "example": { "command": "npx", "args": ["other"] } } }');
    const before = await tree();
    expect(await run(['uninstall', 'example', '--yes'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('No host on this machine runs'),
    });
    expect(await tree()).toEqual(before);
  });

  test('without a terminal: changes nothing, and exits with 2', async () => {
    await someHosts();
    await run(['install', SERVER, '--host', 'cursor']);
    const before = await tree();
    expect(await run(['uninstall', 'example'])).toMatchObject({ code: 2 });
    expect(await tree()).toEqual(before);
  });
});

describe('install --replace mcp-remote', () => {
  test('the entries become ours, and the login is imported: no sign-in', async () => {
    await using authority = await startAuthorizationServer({});
    await using server = await startMcpServer({ authority });
    const browser = await createFakeBrowser(home.folder, 'follow');
    try {
      // A login, as mcp-remote would have it.
      const other = await createTemporaryHome();
      const otherEnv = other.env({ BROWSER: browser.command });
      expect(await runProgram(['login', server.url], otherEnv)).toMatchObject({ code: 0 });
      const exported = JSON.parse((await runProgram(['tokens', 'export', server.url], otherEnv)).stdout);
      await other.close();
      const { createHash } = await import('node:crypto');
      const params = [['audience', 'x']] as const;
      const key = [
        server.url,
        JSON.stringify(Object.fromEntries(params)),
        JSON.stringify({ 'X-Key': '${KEY}' }),
      ].join('|');
      const base = `.mcp-auth/mcp-remote-0.15.1/${createHash('md5').update(key).digest('hex')}`;
      const { access_token, refresh_token, client_id, issuer, scope, redirect_uri } = exported;
      await put(
        `${base}_tokens.json`,
        JSON.stringify({
          access_token,
          refresh_token,
          scope,
          issuer,
          expires_at: exported.expires_at * 1000,
        }),
      );
      await put(
        `${base}_client_info.json`,
        JSON.stringify({ client_id, redirect_uris: [redirect_uri], issuer }),
      );
      const args = [
        '-y',
        'mcp-remote@latest',
        server.url,
        '--header',
        'X-Key: ${KEY}',
        '--authorize-param',
        'audience=x',
        '--ipv4',
      ];
      const file = await put(
        '.cursor/mcp.json',
        JSON.stringify(
          { mcpServers: { mine: { command: 'npx', args, env: { KEY: CANARY }, disabled: false } } },
          null,
          2,
        ),
      );
      const text = await readFile(file, 'utf8');
      await browser.setMode('ignore');

      const end = await run(['install', '--replace', 'mcp-remote', '--yes']);
      expect(end.code).toBe(0);
      expect(end.stdout).toContain('the login of mcp-remote is taken over');
      expect(end.stdout).toContain('--ipv4 is left out');
      expect(end.stdout).not.toContain(CANARY);
      const { mcpServers } = JSON.parse(await readFile(file, 'utf8'));
      expect(mcpServers.mine).toEqual({
        command: process.execPath,
        args: [
          PROGRAM,
          server.url,
          '--header',
          'X-Key: ${KEY}',
          '--authorize-param',
          'audience=x',
          '--home',
          home.state,
        ],
        env: { KEY: CANARY },
        disabled: false,
      });
      const {
        command,
        args: words,
        env: own,
      } = mcpServers.mine as { command: string; args: string[]; env: Record<string, string> };
      expect(command).toBe(process.execPath);
      await using host = startRawHost(words.slice(1), {
        env: home.env({ BROWSER: browser.command, ...own }),
      });
      await host.initialize();
      expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
      expect(browser.opened).toHaveLength(1);
      expect(await run(['uninstall', 'mine', '--yes'])).toMatchObject({ code: 0 });
      expect(await readFile(file, 'utf8')).toBe(text);
    } finally {
      await browser.close();
    }
  });

  test('an address selects one of them, and one that cannot be converted stays', async () => {
    const one = { command: 'cmd', args: ['/c', 'npx', 'mcp-remote', 'https://one.example.com/sse'] };
    const two = {
      command: 'bunx',
      args: ['mcp-remote', 'https://two.example.com/sse', '--static-oauth-client-info', '{oops'],
    };
    const file = await put('.cursor/mcp.json', JSON.stringify({ mcpServers: { one, two } }));
    await run(['install', 'https://one.example.com/sse', '--replace', 'mcp-remote', '--yes']);
    const first = JSON.parse(await readFile(file, 'utf8')).mcpServers;
    expect(first.one.command).toBe(process.execPath);
    expect(first.two).toEqual(two);
    const end = await run(['install', '--replace', 'mcp-remote', '--yes']);
    expect(end).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('two stays with mcp-remote: an argument is not valid JSON'),
    });
    expect(JSON.parse(await readFile(file, 'utf8')).mcpServers.two).toEqual(two);
  });

  test('says so if nothing runs it', async () => {
    await someHosts();
    expect(await run(['install', '--replace', 'mcp-remote', '--yes'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No host on this machine runs mcp-remote'),
    });
  });
});
