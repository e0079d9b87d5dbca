import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { FakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { hasChromium } from '../../peers/browsers/chromium.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { type HostProfile, passedOn } from '../../peers/hosts/host-environments.ts';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createOpener, launchOnDesktop, type VirtualDesktop } from '../../peers/processes/desktop.ts';
import type { TemporaryHome } from '../../peers/processes/home.ts';
import { hasVirtualDesktop, isLinux, isPosix } from '../../peers/processes/tools.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

const canLook = hasChromium();

let world: ProgramWorld;
let home: TemporaryHome;
let browser: FakeBrowser;
let authority: AuthorizationServer;
let server: PeerMcpServer;

beforeEach(async () => {
  world = await createProgramWorld('follow');
  ({ home, browser, authority, server } = world);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** What a person's terminal holds, with an opener first on the path. */
async function whole(command: string = browser.command): Promise<Record<string, string>> {
  return {
    HOME: home.folder,
    PATH: `${await createOpener(home.folder, command)}:/usr/bin:/bin`,
    LANG: 'C.UTF-8',
    SHELL: '/bin/sh',
    TERM: 'xterm',
    USER: 'ada',
    LOGNAME: 'ada',
    API_TOKEN: 's3cr3t-canary',
  };
}

const start = (desktop: VirtualDesktop, env: Record<string, string>, args: readonly string[] = []): RawHost =>
  startRawHost([server.url, ...args], { env, launch: launchOnDesktop(desktop) });

const tools = async (host: RawHost) =>
  JSON.stringify((await host.request('tools/list', undefined, { timeoutMs: 40_000 })).result);

it.skipIf(!isPosix())(
  'no PATH at all, and the root as working folder: the page opens, and the tools are there',
  async () => {
    const env = { HOME: home.folder, BROWSER: browser.command };
    const launch = (argv: readonly string[]) =>
      spawn(process.execPath, [...argv], { env, cwd: '/', stdio: 'pipe' });
    await using host = startRawHost([server.url], { env, launch });
    expect((await host.initialize()).result).toBeDefined();
    expect(await tools(host)).toContain('echo');
    expect(browser.opened).toHaveLength(1);
  },
);

it.skipIf(!isLinux())(
  'settings withheld by the host are named once, and only when something fails',
  async () => {
    const env = passedOn('codex', { ...(await whole()), HTTPS_PROXY: 'http://proxy.example:1' });
    const [folder = ''] = (env.PATH ?? '').split(':');
    const known = 'NODE_EXTRA_CA_CERTS=/etc/company.pem\\nMCP_DRAWBRIDGE_PROFILE=s3cr3t-canary\\nPATH=/bin';
    await writeFile(join(folder, 'systemctl'), `#!/bin/sh\nprintf '${known}\\n'\n`, { mode: 0o755 });
    await writeFile(
      join(home.folder, '.bashrc'),
      'export HTTPS_PROXY=http://u:s3cr3t-canary@proxy.example:1\n',
    );
    await using host = startRawHost(['http://127.0.0.1:9/mcp'], { env });
    await host.initialize();
    await expect.poll(() => host.stderr, { timeout: 20_000 }).toContain('Not passed on');
    const lines = host.stderr.split('\n').filter((line) => line.includes('Not passed on'));
    expect(lines).toHaveLength(1);
    for (const name of [
      'HTTPS_PROXY (~/.bashrc)',
      'NODE_EXTRA_CA_CERTS (systemd)',
      'MCP_DRAWBRIDGE_PROFILE (systemd)',
    ]) {
      expect(lines[0]).toContain(name);
    }
    expect(host.stderr).not.toContain('s3cr3t-canary');
    const open = await startMcpServer({});
    await using quiet = startRawHost([open.url], { env });
    expect((await quiet.initialize()).result).toBeDefined();
    expect(await tools(quiet)).toContain('echo');
    quiet.endStdin();
    await quiet.closed;
    expect(quiet.stderr).toBe('');
    await open.close();
  },
);

describe.skipIf(!hasVirtualDesktop())('a host that passes on part of the environment', () => {
  it.each<HostProfile>(['codex', 'sdk', 'gemini'])(
    "%s's: the page opens on the display that is there, and the tools are the server's",
    async (profile) => {
      await using host = start('x11', passedOn(profile, await whole()));
      expect((await host.initialize()).result).toBeDefined();
      await browser.waitForOpened();
      expect(await tools(host)).toContain('echo');
      const [opened, more] = browser.opened;
      expect(more).toBeUndefined();
      expect(opened?.env).toMatchObject({
        DISPLAY: expect.stringMatching(/^:\d+$/),
        XDG_SESSION_TYPE: 'x11',
        HOME: home.folder,
      });
      expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
      host.assertPure();
    },
  );

  it.skipIf(!canLook)('a real browser opens the page there, and the person is signed in', async () => {
    const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
    const flags = '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync';
    const env = await whole(`'${chromium}' ${flags} --user-data-dir='${home.folder}/profile'`);
    await using host = start('x11', passedOn('codex', env));
    expect((await host.initialize()).result).toBeDefined();
    expect(await tools(host)).toContain('echo');
    expect(authority.counters).toMatchObject({ authorizationRequests: 1, codeExchanges: 1 });
  });

  it('without a display nothing is opened, and the address is on stderr, in the sign_in tool and in status', async () => {
    await browser.setMode('forbidden');
    const env = passedOn('codex', await whole());
    await using host = start('none', env);
    expect((await host.initialize()).result).toBeDefined();
    const offered = await tools(host);
    expect(offered).toContain('sign_in');
    const [, address = ''] = /If no browser has opened, open this address:\s+(\S+)/.exec(host.stderr) ?? [];
    expect(offered).toContain(JSON.stringify(address).slice(1, -1));
    expect((await runProgram(['status'], env)).stdout).toContain(address);
    const changed = host.waitFor(({ method }) => method === 'notifications/tools/list_changed');
    expect((await visit(address, { answer: 'allow' })).status).toBe(200);
    await changed;
    expect(await tools(host)).toContain('echo');
  });

  it.each([
    ['--non-interactive', ['--non-interactive'], {}],
    ['CI', [], { CI: 'true' }],
  ])('%s: nothing is opened, whatever desktop is there', async (_, args, more) => {
    await browser.setMode('forbidden');
    await using host = start('x11', { ...passedOn('codex', await whole()), ...more }, args);
    expect((await host.initialize()).error?.message).toContain('not possible here');
    const store = join(home.folder, '.local', 'share', 'mcp-drawbridge', 'credentials');
    expect(await readdir(store)).toEqual([]);
    expect(authority.counters).toMatchObject({ registrations: 0, authorizationRequests: 0 });
  });

  it('over SSH the desktop of this machine is not used', async () => {
    await browser.setMode('forbidden');
    const ssh = { SSH_CONNECTION: '192.0.2.1 40000 192.0.2.2 22' };
    await using host = start('x11', { ...passedOn('codex', await whole()), ...ssh });
    await host.initialize();
    expect(await tools(host)).toContain('sign_in');
    expect(host.stderr).toMatch(/open this address:\s+http/);
  });
});
