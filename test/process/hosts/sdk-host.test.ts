import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { startForwardProxy } from '../../peers/faults/forward-proxy.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { startHost } from '../../peers/hosts/host.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createAuthority } from '../../peers/net/certificates.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { Vendor } from '../../peers/vendors/vendor.ts';

describe.each([
  { stateful: true, json: true },
  { stateful: true, json: false },
  { stateful: false, json: true },
  { stateful: false, json: false },
])(
  'the SDK client, through the built program, to the SDK server behind OAuth: stateful $stateful, JSON $json',
  (options) => {
    it('signs in by itself and serves', async () => {
      await using home = await createTemporaryHome();
      await using browser = await createFakeBrowser(home.folder, 'follow');
      await using authority = await startAuthorizationServer({ consent: 'auto' });
      await using server = await startMcpServer({ ...options, authority });
      await using host = await startHost([server.url], { env: home.env({ BROWSER: browser.command }) });
      const { tools } = await host.client.listTools();
      expect(tools.map(({ name }) => name)).toContain('whoami');
      const value = { unicode: '😀', big: 2 ** 53, nested: [{}] };
      const echo = await host.client.callTool({ name: 'echo', arguments: { value } });
      expect(JSON.parse((echo.content as { text: string }[])[0]?.text ?? '')).toEqual(value);
      expect(browser.opened.length).toBe(1);
      expect(authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
      await host.close();
      expect(server.counters.sessionsClosed).toBe(options.stateful ? 1 : 0);
      // One 401 without a token, then one with: no probe, no extra session.
      expect(server.counters.initializes).toBe(2);
    });
  },
);

describe('a proxy in the environment', () => {
  it('is used for the server and for the sign-in, unless NO_PROXY says otherwise', async () => {
    await using home = await createTemporaryHome();
    await using proxy = await startForwardProxy();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    const root = await createAuthority('Root of the proxied');
    await using vendor = await Vendor.start({}, await root.issue({ hosts: ['mcp.test'] }), 'mcp.test');
    const ca = join(home.folder, 'ca.pem');
    await writeFile(ca, root.pem);
    const env = { BROWSER: browser.command, HTTPS_PROXY: proxy.url };
    const args = [vendor.mcpUrl, '--ca', ca];
    {
      await using host = await startHost(args, { env: home.env(env) });
      expect((await host.client.listTools()).tools.length).toBeGreaterThan(0);
    }
    expect(new Set(proxy.tunnels.entries)).toEqual(new Set([new URL(vendor.origin).host]));
    expect(vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual(['authorization_code']);
    const before = proxy.tunnels.entries.length;
    // By itself the name leads nowhere.
    const direct = home.env({ ...env, NO_PROXY: 'mcp.test' });
    const { code, stderr } = await runProgram(['login', ...args, '--force'], direct);
    expect(code).toBe(1);
    expect(stderr).toContain('mcp.test');
    expect(proxy.tunnels.entries.length).toBe(before);
  });

  it('is never used for addresses on this machine', async () => {
    await using home = await createTemporaryHome();
    await using proxy = await startForwardProxy();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using authority = await startAuthorizationServer({ consent: 'auto' });
    await using server = await startMcpServer({ authority });
    const proxies = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    await using host = await startHost([server.url], {
      env: home.env({ BROWSER: browser.command, ...proxies }),
    });
    expect((await host.client.listTools()).tools.length).toBeGreaterThan(0);
    expect(authority.counters.codeExchanges).toBe(1);
    expect(proxy.tunnels.entries).toEqual([]);
  });
});

describe('secrets', () => {
  it("keeps tokens, codes and the user's headers to their own origins, and out of every output", async () => {
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using authority = await startAuthorizationServer({ consent: 'auto' });
    await using server = await startMcpServer({ authority });
    await using host = await startHost([server.url, '--debug', '--header', `X-Canary: \${CANARY}`], {
      env: home.env({ BROWSER: browser.command, CANARY: 'canary-header-value' }),
    });
    await host.client.listTools();
    authority.tokens.revokeAll();
    await host.client.listTools();
    await host.close();
    const messages = server.requests.entries.filter(({ path }) => path === '/mcp');
    expect(messages.every(({ headers }) => headers['x-canary'] === 'canary-header-value')).toBe(true);
    expect(authority.requests.count()).toBeGreaterThan(3);
    for (const request of authority.requests.entries) {
      expect(JSON.stringify(request)).not.toContain('canary-header-value');
    }
    const [credential = ''] = await texts(join(home.state, 'credentials'), /^[0-9a-f]{64}\.json$/);
    const record = JSON.parse(credential);
    const secrets = [record.tokens.accessToken, record.tokens.refreshToken, 'canary-header-value'];
    const logs = await texts(join(home.state, 'logs'), /\.log$/);
    expect(logs.length).toBeGreaterThan(0);
    const opened = JSON.stringify(browser.opened);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(15);
      for (const output of [host.stderr, ...logs, opened]) expect(output).not.toContain(secret);
    }
    for (const request of server.requests.entries) {
      expect(JSON.stringify(request)).not.toContain(record.tokens.refreshToken);
    }
  });
});

/** The texts of the files in a folder whose names match. */
async function texts(folder: string, name: RegExp): Promise<string[]> {
  const names = (await readdir(folder)).filter((each) => name.test(each));
  return Promise.all(names.map((each) => readFile(join(folder, each), 'utf8')));
}
