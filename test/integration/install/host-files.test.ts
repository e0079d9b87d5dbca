import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse as parseJson } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyPlan } from '../../../src/install/apply.ts';
import type { EntryRequest } from '../../../src/install/entry/make-entry.ts';
import type { FoundHost } from '../../../src/install/files/found-hosts.ts';
import { Journal } from '../../../src/install/files/journal.ts';
import { type HostId, hostIds, hostOf } from '../../../src/install/hosts/hosts.ts';
import {
  type HostPlan,
  type PlanDeps,
  planInstall,
  planReplace,
  planUninstall,
} from '../../../src/install/plan.ts';

const SERVER = new URL('https://mcp.example.com/mcp');
const fixtures = new URL('../../peers/host-files/', import.meta.url).pathname;
const names = (await readdir(fixtures)).filter((name) => !name.endsWith('.ts'));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const request = (words: readonly string[] = [SERVER.href]): EntryRequest => ({
  starter: {
    kind: 'script',
    node: '/usr/bin/node',
    flags: [],
    script: '/opt/mcp-drawbridge/dist/launch.cjs',
  },
  words,
  variables: [],
  shell: { HTTPS_PROXY: 'http://proxy:3128', NODE_EXTRA_CA_CERTS: '/etc/ca.pem', DISPLAY: ':0' },
  platform: 'linux',
});

const deps = (): PlanDeps => ({
  own: { scripts: [], addressIn: () => undefined },
  journal: new Journal(join(folder, 'home')),
  readFile: () => '',
});

function foundAt(id: HostId, file: string, isProject = false): FoundHost {
  return { id, host: hostOf(id), file, isProject, isHere: true, program: undefined };
}

async function apply(plan: HostPlan, again: () => Promise<HostPlan> = () => Promise.resolve(plan)) {
  const run = () => Promise.resolve({ kind: 'failed', reason: 'must not run', output: '' } as const);
  return applyPlan(plan, { journal: deps().journal, run, replan: again });
}

async function install(found: FoundHost, words?: readonly string[]) {
  const wish = { server: SERVER, profile: undefined, name: undefined, entry: request(words) };
  const plan = await planInstall(found, wish, deps());
  expect(plan.refusals).toEqual([]);
  if (plan.changes.length > 0) await apply(plan, () => planInstall(found, wish, deps()));
  return plan;
}

async function uninstall(found: FoundHost) {
  const plan = await planUninstall(found, SERVER.href, deps());
  if (plan.changes.length > 0) await apply(plan);
  return plan;
}

const read = (file: string, text: string): unknown =>
  file.endsWith('.toml')
    ? parseToml(text)
    : parseJson(text.replace(/^\ufeff/, ''), [], { allowTrailingComma: true });
const at = (value: unknown, keys: readonly string[]): unknown =>
  keys.reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

/** What a host finds in its file, beside `command` and `args`. Claude Code keeps its own file and is written by its command, see below. */
const ENTRIES: Readonly<
  Record<string, { readonly keys: readonly string[]; readonly entry: Record<string, unknown> }>
> = {
  'claude-desktop': desktop(['mcpServers']),
  cursor: desktop(['mcpServers']),
  vscode: desktop(['servers'], { type: 'stdio' }),
  'vscode-insiders': desktop(['servers'], { type: 'stdio' }),
  codex: {
    keys: ['mcp_servers'],
    entry: {
      env_vars: [
        'DISPLAY',
        'WAYLAND_DISPLAY',
        'XAUTHORITY',
        'DBUS_SESSION_BUS_ADDRESS',
        'XDG_RUNTIME_DIR',
        'BROWSER',
        'HTTPS_PROXY',
        'NODE_EXTRA_CA_CERTS',
      ],
      startup_timeout_sec: 60,
    },
  },
  devin: desktop(['mcpServers']),
  zed: desktop(['context_servers']),
  copilot: { keys: ['mcpServers'], entry: { type: 'local', tools: ['*'] } },
  cline: desktop(['mcpServers'], { disabled: false, timeout: 60 }),
  opencode: { keys: ['mcp'], entry: { type: 'local', enabled: true, timeout: 60_000 } },
  'opencode-v2': { keys: ['mcp', 'servers'], entry: { type: 'local', timeout: { startup: 60_000 } } },
  kiro: desktop(['mcpServers']),
  antigravity: desktop(['mcpServers']),
  junie: desktop(['mcpServers']),
  'lm-studio': desktop(['mcpServers']),
  amp: desktop(['amp.mcpServers']),
  warp: desktop(['mcpServers']),
  'visual-studio': desktop(['servers'], { type: 'stdio' }),
  // It keeps back names that sound like secrets, and puts its own variable in the place of `$NAME`.
  gemini: { keys: ['mcpServers'], entry: { env: { NODE_EXTRA_CA_CERTS: '$NODE_EXTRA_CA_CERTS' } } },
  qwen: { keys: ['mcpServers'], entry: {} },
};

function desktop(keys: readonly string[], more: Record<string, unknown> = {}) {
  return {
    keys,
    entry: { ...more, env: { HTTPS_PROXY: 'http://proxy:3128', NODE_EXTRA_CA_CERTS: '/etc/ca.pem' } },
  };
}

const ARGS = ['/opt/mcp-drawbridge/dist/launch.cjs', SERVER.href];

test("each host's kind of file", () => {
  const kinds = new Set(names.map((name) => name.replace(/\.[a-z]+$/, '')));
  expect([...kinds].sort()).toEqual([...hostIds, 'opencode-v2'].sort());
});

describe.each(names.filter((name) => !name.startsWith('claude-code')))('%s', (name) => {
  const kind = name.replace(/\.[a-z]+$/, '');
  const id = kind.replace(/-v2$/, '') as HostId;
  const { keys, entry } = ENTRIES[kind] as (typeof ENTRIES)[string];

  test('gets the entry that the host reads; all else is unchanged, to the byte after uninstall', async () => {
    const file = join(folder, name);
    const before = await readFile(join(fixtures, name));
    await writeFile(file, before, { mode: 0o640 });
    await install(foundAt(id, file));
    const after = await readFile(file, 'utf8');
    const written = at(read(name, after), [...keys, 'example']) as Record<string, unknown>;
    const { command, args, ...rest } = written;
    expect(Array.isArray(command) ? command : [command, ...(args as string[])]).toEqual([
      '/usr/bin/node',
      ...ARGS,
    ]);
    expect(rest).toEqual(entry);
    // A comma may follow the last line of a neighbour.
    const lines = after.split(/\r?\n/).map((line) => line.replace(/,\s*$/, ''));
    for (const line of before.toString('utf8').split(/\r?\n/)) {
      const isKept = lines.some(
        (each) =>
          each === line.replace(/,\s*$/, '') ||
          each.replace(/,? *(?=\/[/*])/, '') === line.replace(/,? *(?=\/[/*])/, ''),
      );
      if (!/\{\s*\}|^\{"/.test(line)) expect(isKept, line).toBe(true);
    }
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    const plan = await uninstall(foundAt(id, file));
    expect(plan.changes.map(({ name: removed }) => removed)).toEqual(['example']);
    expect(await readFile(file)).toEqual(before);
    expect((await readdir(folder)).sort()).toEqual([name, 'home'].sort());
  });

  test('has neither file nor folder after uninstall if there was none before', async () => {
    const file = join(folder, 'a', 'b', name);
    await install(foundAt(id, file));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain('launch.cjs');
    await uninstall(foundAt(id, file));
    expect(await readdir(folder)).toEqual(['home']);
  });
});

describe('a file', () => {
  const text = '{\n  "mcpServers": {\n    "a": { "command": "x" }\n  }\n}\n';
  let file: string;
  beforeEach(async () => {
    file = join(folder, 'mcp.json');
    await writeFile(file, text);
  });

  test('that is a link stays a link, and its target is changed', async () => {
    await mkdir(join(folder, 'dotfiles'));
    const target = join(folder, 'dotfiles', 'cursor.json');
    await writeFile(target, text);
    const link = join(folder, 'link.json');
    await symlink(target, link);
    await install(foundAt('cursor', link));
    expect(await readFile(target, 'utf8')).toContain('launch.cjs');
    expect(await readFile(`${target}.before-mcp-drawbridge`, 'utf8')).toBe(text);
    await uninstall(foundAt('cursor', link));
    expect(await readFile(target, 'utf8')).toBe(text);
  });

  test('is backed up once, before the first change, and the backup goes with the last', async () => {
    await install(foundAt('cursor', file));
    await install(foundAt('cursor', file), [SERVER.href, '--debug']);
    expect(await readFile(`${file}.before-mcp-drawbridge`, 'utf8')).toBe(text);
    await uninstall(foundAt('cursor', file));
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readdir(folder)).not.toContain('mcp.json.before-mcp-drawbridge');
  });

  test('that changes between plan and write keeps that change', async () => {
    const found = foundAt('cursor', file);
    const wish = { server: SERVER, profile: undefined, name: undefined, entry: request() };
    const plan = await planInstall(found, wish, deps());
    await writeFile(file, text.replace('"x"', '"changed"'));
    await apply(plan, () => planInstall(found, wish, deps()));
    const after = await readFile(file, 'utf8');
    expect(after).toContain('"changed"');
    expect(after).toContain('launch.cjs');
  });

  test('that becomes invalid between plan and write is left alone', async () => {
    const found = foundAt('cursor', file);
    const wish = { server: SERVER, profile: undefined, name: undefined, entry: request() };
    const plan = await planInstall(found, wish, deps());
    await writeFile(file, `${text}}`);
    await expect(apply(plan, () => planInstall(found, wish, deps()))).rejects.toMatchObject({
      code: 'host_file',
    });
    expect(await readFile(file, 'utf8')).toBe(`${text}}`);
  });

  test('whose entry was changed after the installation loses only that entry', async () => {
    await install(foundAt('cursor', file));
    const changed = (await readFile(file, 'utf8')).replace(
      '"command": "/usr/bin/node"',
      '"disabled": true, "command": "/usr/bin/node"',
    );
    await writeFile(file, changed);
    await uninstall(foundAt('cursor', file));
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('with two of our entries: each is removed separately, in any order, and the rest is unchanged', async () => {
    const other = new URL('https://mcp.other.com/mcp');
    const found = foundAt('cursor', file);
    await install(found);
    const second = await planInstall(
      found,
      { server: other, profile: undefined, name: undefined, entry: request([other.href]) },
      deps(),
    );
    await apply(second);
    await uninstall(found);
    const left = await readFile(file, 'utf8');
    expect(left).toContain('mcp.other.com');
    expect(left).not.toContain('mcp.example.com');
    await apply(await planUninstall(found, 'other', deps()));
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('without servers has none again after a second version of the entry', async () => {
    await writeFile(file, '{}');
    await install(foundAt('cursor', file));
    await install(foundAt('cursor', file), [SERVER.href, '--debug']);
    expect(await readFile(file, 'utf8')).toContain('--debug');
    await uninstall(foundAt('cursor', file));
    expect(await readFile(file, 'utf8')).toBe('{}');
  });

  test('with two entries of mcp-remote: each can be restored, in any order', async () => {
    const args = (host: string) => JSON.stringify(['mcp-remote', `https://${host}.example.com/sse`]);
    const both = `{ "mcpServers": { "y": { "command": "npx", "args": ${args('y')} },\n  "z": { "command": "npx", "args": ${args('z')} } } }`;
    await writeFile(file, both);
    const found = foundAt('cursor', file);
    await apply(await planReplace(found, undefined, request([]), deps()));
    expect(await readFile(file, 'utf8')).not.toContain('mcp-remote');
    await apply(await planUninstall(found, 'y', deps()));
    expect(await readFile(file, 'utf8')).toContain(args('y'));
    await apply(await planUninstall(found, 'z', deps()));
    expect(await readFile(file, 'utf8')).toBe(both);
  });

  test('that is not UTF-8 is refused', async () => {
    await writeFile(file, Buffer.from([0x7b, 0xff, 0x7d]));
    const plan = await planInstall(
      foundAt('cursor', file),
      { server: SERVER, profile: undefined, name: undefined, entry: request() },
      deps(),
    );
    expect(plan.changes).toEqual([]);
    expect(plan.refusals[0]?.reason).toContain('cannot be read');
    expect(plan.refusals[0]?.snippet).toContain('launch.cjs');
  });

  test('that cannot be parsed is refused with line and column, and the entry to paste', async () => {
    await writeFile(file, '{\n  "mcpServers": {\n    "a": nope\n  }\n}\n');
    const plan = await planInstall(
      foundAt('cursor', file),
      { server: SERVER, profile: undefined, name: undefined, entry: request() },
      deps(),
    );
    expect(plan.refusals).toMatchObject([
      { line: 3, column: 10, snippet: expect.stringContaining('"example": {') },
    ]);
  });
});

describe('the lock of a host', () => {
  test('is waited for, and a stale one is taken over', async () => {
    const file = join(folder, 'cline_mcp_settings.json');
    await writeFile(file, '{"mcpServers":{}}');
    await mkdir(`${file}.lock`);
    const long = new Date(Date.now() - 60_000);
    await utimes(`${file}.lock`, long, long);
    await install(foundAt('cline', file));
    expect(await readFile(file, 'utf8')).toContain('launch.cjs');
    expect(await readdir(dirname(file))).not.toContain('cline_mcp_settings.json.lock');
  });

  test('keeps the file from being written while it is held', async () => {
    const file = join(folder, 'cline_mcp_settings.json');
    await writeFile(file, '{"mcpServers":{}}');
    await mkdir(`${file}.lock`);
    let isDone = false;
    const installed = install(foundAt('cline', file)).then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(isDone).toBe(false);
    expect(await readFile(file, 'utf8')).toBe('{"mcpServers":{}}');
    await rm(`${file}.lock`, { recursive: true });
    await installed;
    expect(await readFile(file, 'utf8')).toContain('launch.cjs');
  });
});

describe('names', () => {
  const wish = (name?: string, server = SERVER) => ({
    server,
    profile: undefined,
    name,
    entry: request([server.href]),
  });

  test('a name used by another server gets a number, or is refused if it was requested', async () => {
    const file = join(folder, 'mcp.json');
    await writeFile(file, '{ "mcpServers": { "example": { "command": "x" } } }');
    const free = await planInstall(foundAt('cursor', file), wish(), deps());
    expect(free.changes.map(({ name }) => name)).toEqual(['example-2']);
    const refused = await planInstall(foundAt('cursor', file), wish('example'), deps());
    expect(refused.changes).toEqual([]);
    expect(refused.refusals[0]?.reason).toContain('choose another --name');
  });

  test('the same server again is the same entry; with another profile it is another', async () => {
    const file = join(folder, 'mcp.json');
    await install(foundAt('cursor', file));
    expect((await planInstall(foundAt('cursor', file), wish(), deps())).same).toEqual(['example']);
    const work = { ...wish(), profile: 'work', entry: request([SERVER.href, '--profile', 'work']) };
    expect((await planInstall(foundAt('cursor', file), work, deps())).changes[0]?.name).toBe('example-2');
  });
});
