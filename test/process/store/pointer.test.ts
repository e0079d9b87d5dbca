import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { FakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { passedOn } from '../../peers/hosts/host-environments.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import type { PeerMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import type { TemporaryHome } from '../../peers/processes/home.ts';
import { isLinux } from '../../peers/processes/tools.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

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

/** A terminal with a folder for data of the person's own, and what Codex passes on of it. */
function terminal() {
  const { MCP_DRAWBRIDGE_HOME: _, ...env } = home.env({
    BROWSER: browser.command,
    XDG_DATA_HOME: join(home.folder, 'data'),
    XDG_RUNTIME_DIR: home.folder,
  });
  return { env, host: passedOn('codex', env), usual: join(home.folder, '.local', 'share', 'mcp-drawbridge') };
}

const call = async (env: Record<string, string>) => {
  await using host = startRawHost([server.url, '--non-interactive'], { env });
  const opened = await host.initialize();
  if (opened.error !== undefined) return opened.error.message;
  return JSON.stringify((await host.request('tools/list')).result);
};

it.skipIf(!isLinux())(
  'a login made in a terminal with XDG_DATA_HOME is found under a host that withholds the variable',
  async () => {
    const { env, host } = terminal();
    expect(await runProgram(['login', server.url], env)).toMatchObject({ code: 0 });
    expect(await call(host)).toContain('echo');
    expect((await runProgram(['status'], host)).stdout).toContain(server.url);
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
    await rm(join(home.folder, 'data'), { recursive: true });
    expect(await call(host)).toContain('not possible here');
  },
);

it.skipIf(!isLinux())(
  'without it the suggested command names the folder, and two stores with logins are reported',
  async () => {
    const { env, host, usual } = terminal();
    const refused = await call(host);
    expect(refused).toContain(`Run: ${process.execPath} ${PROGRAM} login ${server.url} --home ${usual}`);
    expect(await runProgram(['login', server.url, '--home', usual], env)).toMatchObject({ code: 0 });
    expect(await call(host)).toContain('echo');
    const own = await runProgram(['login', server.url], env);
    expect(own.stderr).toContain(
      `this program uses ${join(home.folder, 'data', 'mcp-drawbridge')}, and programs`,
    );
    expect(own.stderr).toContain(`use ${usual}.`);
    const status = await runProgram(['status'], host);
    expect(status.stderr).toContain(`this program uses ${usual}, and programs that get XDG_DATA_HOME use`);
    expect(await call(host)).toContain('echo');
  },
);
