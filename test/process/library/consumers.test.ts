import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { KillPlans } from '../../peers/faults/kill-plan.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { SdkSseServer } from '../../peers/mcp-servers/sdk-sse-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { HTTP_PROGRAMS, PackageFolder, type ProgramName } from '../../peers/programs/package-folder.ts';
import { RunningProgram } from '../../peers/programs/running-program.ts';
import { Instance } from '../../storm/instance.ts';

let shared: TemporaryHome;
let folder: PackageFolder;
beforeAll(async () => {
  shared = await createTemporaryHome();
  folder = await PackageFolder.create(shared.folder);
});
afterAll(() => shared.close());

interface Row {
  readonly program: ProgramName;
  readonly serve: (authority: AuthorizationServer) => Promise<AsyncDisposable & { readonly url: string }>;
}

const rows: readonly Row[] = [
  ...HTTP_PROGRAMS.map((program) => ({
    program,
    serve: (authority: AuthorizationServer) => startMcpServer({ authority }),
  })),
  { program: 'sdk1-sse', serve: (authority) => SdkSseServer.start(authority) },
];

test.concurrent.each(rows)(
  '$program: one sign-in, one refresh per lapse while a neighbour is killed in it, one sign-in after a revocation',
  async ({ program, serve }) => {
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using authority = await startAuthorizationServer();
    await using server = await serve(authority);
    const env = home.env({ BROWSER: browser.command, MCP_URL: server.url });
    const counted = () => {
      const { registrations, codeExchanges, refreshPosts, replays } = authority.counters;
      return { registrations, codeExchanges, refreshPosts, replays };
    };

    await using one = new RunningProgram(folder, program, { env });
    expect(await one.call(1)).toBe('1');
    expect(counted()).toEqual({ registrations: 1, codeExchanges: 1, refreshPosts: 0, replays: 0 });

    const plans = join(home.folder, 'plans');
    await mkdir(plans);
    const plan = await (await KillPlans.create(plans)).add({
      role: 'bridge',
      folder: join(home.state, 'credentials'),
      ports: [Number(new URL(authority.issuer).port)],
      step: 'pre-create',
      at: Number.MAX_SAFE_INTEGER,
    });
    const neighbour = new RunningProgram(folder, program, { env, nodeArgs: ['--require', plan.preload] });
    await using _ = neighbour;
    expect(await neighbour.call(2)).toBe('2');

    authority.tokens.revokeAll();
    expect(await Promise.all([one.call(3), neighbour.call(4), one.call(5), neighbour.call(6)])).toEqual([
      '3',
      '4',
      '5',
      '6',
    ]);
    expect(counted()).toEqual({ registrations: 1, codeExchanges: 1, refreshPosts: 1, replays: 0 });

    authority.tokens.revokeAll();
    await new Instance(0, neighbour.host, plan).rearm(1);
    neighbour.call(7).catch(() => 'it dies with the call in flight');
    await neighbour.host.exited;
    expect((await plan.said()).killed).toMatchObject({ step: 'pre-create', holdsLock: true });
    expect(await one.call(8)).toBe('8');
    expect(counted()).toEqual({ registrations: 1, codeExchanges: 1, refreshPosts: 2, replays: 0 });

    authority.revokeEverything();
    expect(await one.call(9)).toBe('9');
    expect(counted()).toMatchObject({ codeExchanges: 2, replays: 0 });
    expect(browser.opened).toHaveLength(2);

    expect(await one.end()).toEqual({ code: 0, stderr: '' });
  },
);

interface Library {
  authorizedFetch(url: string, options: Readonly<Record<string, unknown>>): typeof fetch;
}

test('two copies of the package in one process, as two dependencies may install them: one refresh for both', async () => {
  await using home = await createTemporaryHome();
  await using browser = await createFakeBrowser(home.folder, 'follow');
  await using authority = await startAuthorizationServer();
  await using server = await startMcpServer({ authority, stateful: false });
  const env = home.env({ BROWSER: browser.command, MCP_URL: server.url });
  await using person = new RunningProgram(folder, 'sdk1-http', { env });
  expect(await person.call(1)).toBe('1');

  const first = join(folder.folder, 'node_modules/mcp-drawbridge');
  const second = join(home.folder, 'node_modules/mcp-drawbridge');
  await cp(first, second, { recursive: true });
  const copies = await Promise.all(
    [first, second].map(async (copy) => (await import(join(copy, 'dist/library/index.js'))) as Library),
  );
  expect(copies[0]?.authorizedFetch).not.toBe(copies[1]?.authorizedFetch);
  const fetches = copies.map(({ authorizedFetch }) =>
    authorizedFetch(server.url, { home: home.state, nonInteractive: true }),
  );
  const call = async (send: typeof fetch) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const response = await send(server.url, { method: 'POST', headers, body });
    return [response.status, (await response.text()).includes('echo')];
  };
  for (let lapse = 1; lapse <= 2; lapse++) {
    authority.tokens.revokeAll();
    expect(await Promise.all(fetches.map(call))).toEqual([
      [200, true],
      [200, true],
    ]);
    expect(authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: lapse, replays: 0 });
  }
});
