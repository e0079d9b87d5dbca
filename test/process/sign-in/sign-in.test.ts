import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import type { BrowserMode, FakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import type { PeerMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import type { TemporaryHome } from '../../peers/processes/home.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

let machine: ProgramWorld;
let home: TemporaryHome;
let browser: FakeBrowser;
let authority: AuthorizationServer;
let server: PeerMcpServer;

async function world(mode: BrowserMode, consent: 'auto' | 'wait' = 'auto', accessTokenTtlSeconds = 3600) {
  machine = await createProgramWorld(mode, { consent, accessTokenTtlSeconds });
  ({ home, browser, authority, server } = machine);
}

beforeEach(() => {
  // Each test builds its own world; a leftover from the last would hide a mistake.
  home = undefined as never;
});

afterEach(async () => {
  await machine[Symbol.asyncDispose]();
});

const start = (args: readonly string[] = []) =>
  startRawHost([server.url, ...args], { env: home.env({ BROWSER: browser.command }) });

describe('the first start', () => {
  it('signs in once and serves the host; the next start needs neither a browser nor a registration', async () => {
    await world('follow');
    {
      await using host = start();
      await host.initialize();
      const list = await host.request('tools/list');
      expect(JSON.stringify(list.result)).toContain('echo');
      host.endStdin();
      expect((await host.closed).code).toBe(0);
      host.assertPure();
    }
    expect(browser.opened.length).toBe(1);
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1, refreshPosts: 0 });
    await browser.setMode('ignore');
    await using again = start();
    const initializeAnswer = await again.initialize();
    expect(JSON.stringify(initializeAnswer.result)).not.toContain('mcp-drawbridge');
    expect(JSON.stringify((await again.request('tools/list')).result)).toContain('echo');
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
    expect(browser.opened.length).toBe(1);
  });

  it('answers initialize however long the sign-in takes, and announces the real lists after it', async () => {
    await world('follow', 'wait');
    await using host = start();
    const initializeAnswer = await host.initialize();
    expect(initializeAnswer.result).toMatchObject({ serverInfo: { name: 'mcp-drawbridge' } });
    const list = host.request('tools/list', undefined, { timeoutMs: 30_000 });
    await authority.consent.asked.waitFor(() => true);
    const placeholder = await list;
    expect(JSON.stringify(placeholder.result)).toContain('sign_in');
    expect(JSON.stringify(placeholder.result)).toContain(authority.issuer);
    const tool = host.request('tools/call', { name: 'sign_in', arguments: {} });
    authority.consent.allow();
    expect(JSON.stringify((await tool).result)).toContain('Signed in');
    await host.waitFor(({ method }) => method === 'notifications/tools/list_changed');
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    host.assertPure();
    host.assertOneAnswerEach();
  });

  it('outlives its host: the sign-in completes and the next start needs none', async () => {
    await world('follow', 'wait');
    {
      await using host = start();
      await host.initialize();
      await authority.consent.asked.waitFor(() => true);
      host.kill('SIGKILL');
      await host.exited;
    }
    authority.consent.allow();
    await browser.waitForArrived(1);
    await browser.setMode('ignore');
    await using next = start();
    await next.initialize();
    expect(JSON.stringify((await next.request('tools/list')).result)).toContain('echo');
    expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
    expect(browser.opened.length).toBe(1);
  });

  it('20 instances at once: one browser, one registration, one exchange, all served', async () => {
    await world('follow');
    const hosts = Array.from({ length: 20 }, () => start());
    try {
      const lists = await Promise.all(
        hosts.map(async (host) => {
          await host.initialize({}, { timeoutMs: 40_000 });
          return host.request('tools/list', undefined, { timeoutMs: 60_000 });
        }),
      );
      for (const list of lists) expect(JSON.stringify(list.result)).toContain('echo');
      expect(browser.opened.length).toBe(1);
      expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1, replays: 0 });
      for (const host of hosts) host.assertPure();
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
    }
  });
});

describe('failures', () => {
  it('a denied sign-in: calls fail with the reason, no second tab, and it can be tried again', async () => {
    await world('follow', 'wait');
    await using host = start();
    await host.initialize();
    const list = host.request('tools/list');
    await authority.consent.asked.waitFor(() => true);
    authority.consent.deny();
    expect((await list).error?.message).toMatch(/declined/);
    const again = host.request('tools/list', undefined, { timeoutMs: 30_000 });
    const placeholder = await again;
    expect(browser.opened.length).toBe(1);
    const address = /http:[^"\s]+authorize[^"\s]+|http:[^"\s]+\/auth\?[^"\s]+/.exec(
      JSON.stringify(placeholder.result),
    )?.[0];
    expect(address, JSON.stringify(placeholder) + host.stderr).toBeDefined();
    authority.consent.mode = 'auto';
    await visit(address as string);
    await host.waitFor(({ method }) => method === 'notifications/tools/list_changed', { timeoutMs: 20_000 });
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
    expect(browser.opened.length).toBe(1);
  });

  it('no browser to open: the address is on stderr and in the list, and signing in by hand works', async () => {
    await world('crash');
    await using host = start();
    await host.initialize();
    const list = host.request('tools/list', undefined, { timeoutMs: 30_000 });
    const address = await new Promise<string>((resolve) => {
      const look = () => {
        const found = /http:\/\/127[^\s]+/.exec(host.stderr)?.[0];
        if (found !== undefined) resolve(found);
      };
      host.child.stderr.on('data', look);
      look();
    });
    // Before anybody has signed in: nobody could know that they have to.
    expect(JSON.stringify((await list).result)).toContain(address);
    await visit(address);
    await host.waitFor(({ method }) => method === 'notifications/tools/list_changed');
    expect(JSON.stringify((await host.request('tools/list')).result)).toContain('echo');
  });

  it('a token that is revoked during a session costs one refresh and no prompt', async () => {
    await world('follow');
    await using host = start();
    await host.initialize();
    await host.request('tools/list');
    await browser.setMode('ignore');
    authority.tokens.revokeAll();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, value) =>
        host.request('tools/call', { name: 'echo', arguments: { value } }),
      ),
    );
    expect(answers.every(({ result }) => result !== undefined)).toBe(true);
    expect(authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
    expect(browser.opened.length).toBe(1);
  });
});
