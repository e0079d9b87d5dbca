import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getMcpConfigForManifest, unpackExtension, vAny, validateManifest } from '@anthropic-ai/mcpb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser, type FakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { RawHost } from '../../peers/hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

const SIZE_MAX_BYTES = 1_000_000;
/** The smallest PNG file: one grey pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

let home: TemporaryHome;
beforeEach(async () => {
  home = await createTemporaryHome();
});
afterEach(() => home.close());

const file = (name: string) => join(home.folder, name);
const bundle = (...args: string[]) => runProgram(['bundle', ...args], home.env());

/** The bundle as a host has it after the installation. */
async function installed(path: string) {
  const folder = `${path}.d`;
  expect(await unpackExtension({ mcpbPath: path, outputDir: folder, silent: true })).toBe(true);
  expect(validateManifest(join(folder, 'manifest.json'))).toBe(true);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  vAny.McpbManifestSchema.parse(manifest);
  return { folder, manifest };
}

/** What the host runs: the format's own expansion of the manifest, with empty texts for fields that were left empty. */
async function command(
  { folder, manifest }: Awaited<ReturnType<typeof installed>>,
  fields: Record<string, string> = {},
) {
  const empty = Object.fromEntries(Object.keys(manifest.user_config ?? {}).map((key) => [key, '']));
  const expanded = await getMcpConfigForManifest({
    manifest,
    extensionPath: folder,
    systemDirs: { HOME: home.folder },
    userConfig: { ...empty, ...fields },
    pathSeparator: '/',
  });
  if (expanded === undefined) throw new Error('the manifest has no command');
  const [program = '', ...args] = expanded.args ?? [];
  return { program, args, env: expanded.env ?? {} };
}

describe('a bundle for one server', () => {
  it('holds the program, the address and the options, in the same bytes each time', async () => {
    const args = [
      'https://mcp.example/mcp',
      '--name',
      'Example Server',
      '--scope',
      'a b',
      '--icon',
      file('i.png'),
    ];
    await writeFile(file('i.png'), PNG);
    expect((await bundle(...args, '-o', file('a.mcpb'))).code).toBe(0);
    expect((await bundle(...args, '-o', file('b.mcpb'))).code).toBe(0);
    const bytes = await readFile(file('a.mcpb'));
    expect(bytes.length).toBeLessThan(SIZE_MAX_BYTES);
    expect(bytes.equals(await readFile(file('b.mcpb')))).toBe(true);
    const { folder, manifest } = await installed(file('a.mcpb'));
    expect(manifest).toMatchObject({ manifest_version: '0.3', name: 'example-server', icon: 'icon.png' });
    expect(manifest.user_config).toBeUndefined();
    expect(manifest.server.mcp_config.env).toEqual({
      MCP_DRAWBRIDGE_URL: 'https://mcp.example/mcp',
      MCP_DRAWBRIDGE_SCOPE: 'a b',
    });
    expect(PNG.equals(await readFile(join(folder, 'icon.png')))).toBe(true);
    expect((await stat(join(folder, 'dist/THIRD-PARTY-NOTICES.txt'))).size).toBeGreaterThan(0);
    expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toContain('MIT');
  });

  it('contains no setting of this machine', async () => {
    const env = home.env({ MCP_DRAWBRIDGE_PROFILE: 'mine', MCP_DRAWBRIDGE_TOKEN: 'secret-token' });
    await runProgram(['bundle', 'https://mcp.example/mcp', '-o', file('a.mcpb')], env);
    const { manifest } = await installed(file('a.mcpb'));
    expect(manifest.server.mcp_config.env).toEqual({ MCP_DRAWBRIDGE_URL: 'https://mcp.example/mcp' });
    expect(JSON.stringify(manifest)).not.toContain(home.folder);
  });

  it.each([
    [['https://x.example', '--header', 'X-Key: canary'], '--header may be a secret'],
    [['https://x.example', '--ca', '/ca.pem'], '--ca names a file of this machine'],
    [['https://x.example', '--scope', '${HOME}'], 'a bundle cannot hold'],
    [['--scope', 'a'], 'needs a --name'],
    [['https://x.example', '--name', ''], '--name: expected a name'],
    [['https://x.example', '--icon', '/nowhere.png'], '--icon cannot be read'],
    [['https://x.example', '--icon', process.execPath], 'expected a PNG file'],
  ])('%j is refused with a reason', async (args, why) => {
    const { code, stderr, stdout } = await bundle(...args, '-o', file('a.mcpb'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(why);
    expect(stderr).not.toContain('canary');
    await expect(stat(file('a.mcpb'))).rejects.toThrow('ENOENT');
  });

  it('warns about a query in the address', async () => {
    const { code, stderr } = await bundle('https://x.example/mcp?key=canary', '-o', file('a.mcpb'));
    expect(code).toBe(0);
    expect(stderr).toContain('everyone who has the bundle can read it');
    expect(stderr).not.toContain('canary');
  });

  it('replaces an existing file with --force only', async () => {
    await writeFile(file('a.mcpb'), 'mine');
    const refused = await bundle('https://x.example', '-o', file('a.mcpb'));
    expect([refused.code, await readFile(file('a.mcpb'), 'utf8')]).toEqual([2, 'mine']);
    expect(refused.stderr).toContain('exists already');
    expect((await bundle('https://x.example', '-o', file('a.mcpb'), '--force')).code).toBe(0);
    await installed(file('a.mcpb'));
  });
});

describe('started as a host starts it', () => {
  let authority: AuthorizationServer;
  let server: PeerMcpServer;
  let browser: FakeBrowser;
  beforeEach(async () => {
    authority = await startAuthorizationServer({});
    server = await startMcpServer({ authority });
    browser = await createFakeBrowser(home.folder, 'follow');
  });
  afterEach(async () => {
    await server.close();
    await authority.close();
    await browser.close();
  });

  it.each([
    ['with the address that the person typed, and all else left empty', false],
    ['with the address in it', true],
  ])('%s, it signs in and serves', async (_, fixed) => {
    const path = file('bundle.mcpb');
    const made = fixed ? await bundle(server.url, '-o', path) : await bundle('--name', 'Any', '-o', path);
    expect(made.code).toBe(0);
    const { program, args, env } = await command(await installed(path), fixed ? {} : { url: server.url });
    await using host = new RawHost(args, { program, env: home.env({ BROWSER: browser.command, ...env }) });
    await host.initialize();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(browser.opened).toHaveLength(1);
    host.endStdin();
    expect((await host.closed).code).toBe(0);
    host.assertPure();
  });

  it("in Electron's Node, which no process can be started with, it signs in itself", async () => {
    const path = file('bundle.mcpb');
    expect((await bundle(server.url, '-o', path)).code).toBe(0);
    const preload = file('electron.cjs');
    await writeFile(
      preload,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '39.0.0' } });
       process.execPath = '/nonexistent/Claude Helper (Plugin)';`,
    );
    const { program, args, env } = await command(await installed(path));
    await using host = new RawHost(args, {
      program,
      nodeArgs: ['--require', preload],
      env: home.env({ BROWSER: browser.command, ...env }),
    });
    await host.initialize();
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(browser.opened).toHaveLength(1);
  });
});
