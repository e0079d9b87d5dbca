import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { type RawHost, startRawHost } from '../../peers/hosts/raw-host.ts';
import { createAuthority, type LocalAuthority } from '../../peers/net/certificates.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { processesDuring } from '../../peers/processes/processes.ts';
import { Vendor, type VendorHabits } from '../../peers/vendors/vendor.ts';

let ofServers: LocalAuthority;
let ofClients: LocalAuthority;

beforeAll(async () => {
  ofServers = await createAuthority('Root of the servers');
  ofClients = await createAuthority('Root of the clients');
});

/** A vendor over TLS that asks each client for a certificate. */
async function startVendor(habits: VendorHabits = {}): Promise<Vendor> {
  return Vendor.start(habits, { ...(await ofServers.issue()), clientAuthority: ofClients.pem });
}

/** A person's files: the authority of the servers, a client certificate and its key. */
async function createFiles(folder: string) {
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const identity = await ofClients.issue({ name: 'laptop-7' });
  await writeFile(files.ca, ofServers.pem);
  await writeFile(files.cert, identity.cert);
  await writeFile(files.key, identity.key);
  return { ...files, args: ['--ca', files.ca, '--cert', files.cert, '--key', files.key] };
}

async function callEcho(host: RawHost): Promise<string> {
  const { result, error } = await host.request('tools/call', { name: 'echo', arguments: {} });
  return error?.message ?? JSON.stringify(result);
}

/** Who came to which path, each once. */
function visits({ requests, certificates }: Vendor): string[] {
  const all = requests.entries.map(({ path }, at) => `${path} ${certificates[at] ?? 'nobody'}`);
  return [...new Set(all)].sort();
}

describe('a client certificate', () => {
  test('is presented to the server in sign-in, refresh and metadata requests, and to no other origin', async () => {
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using authority = await startVendor({
      metadata: ({ origin }) => ({ revocation_endpoint: `${origin}/revoke` }),
      other: ({ path }) => (path === '/revoke' ? {} : undefined),
    });
    await using server = await startVendor({
      resourceMetadata: () => ({ authorization_servers: [authority.origin] }),
      mcp: (rpc, request, self) => (authority.issuedTo(request) ? self.answer(rpc) : undefined),
    });
    const { args } = await createFiles(home.folder);
    const env = home.env({ BROWSER: browser.command });
    {
      await using host = startRawHost([server.mcpUrl, '--wait', ...args], { env });
      await host.initialize();
      expect(await callEcho(host)).toContain('called');
      authority.forgetAccessTokens();
      expect(await callEcho(host)).toContain('called');
    }
    expect((await runProgram(['logout', server.mcpUrl, ...args], env)).code).toBe(0);
    expect(visits(server)).toEqual(['/.well-known/oauth-protected-resource/mcp laptop-7', '/mcp laptop-7']);
    expect(authority.tokenForms.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    expect(visits(authority)).toEqual([
      '/.well-known/oauth-authorization-server nobody',
      '/authorize nobody',
      '/register nobody',
      '/revoke nobody',
      '/token nobody',
    ]);
  });

  test('reaches an authorization server that is the server itself, by files only', async () => {
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using server = await startVendor();
    const files = await createFiles(home.folder);
    const key = (await readFile(files.key, 'utf8')).split('\n')[1] ?? '';
    const env = home.env({ BROWSER: browser.command });
    await using host = startRawHost([server.mcpUrl, '--wait', ...files.args], { env });
    const work = async () => {
      await host.initialize();
      expect(await callEcho(host)).toContain('called');
    };
    const seen = await processesDuring(home.folder, work());
    server.forgetAccessTokens();
    expect(await callEcho(host)).toContain('called');
    expect(visits(server)).toEqual([
      '/.well-known/oauth-authorization-server laptop-7',
      '/.well-known/oauth-protected-resource/mcp laptop-7',
      '/authorize nobody', // the person's browser
      '/mcp laptop-7',
      '/register laptop-7',
      '/token laptop-7',
    ]);
    expect(server.tokenForms).toHaveLength(2);
    expect(seen.some(({ argv }) => argv.includes('__sign-in'))).toBe(true);
    for (const { argv, environment } of seen) expect(argv + environment).not.toContain(key);
  });

  test('whose file is missing makes the sign-in fail, and is named', async () => {
    await using home = await createTemporaryHome();
    await using server = await startVendor();
    const files = await createFiles(home.folder);
    const end = await runProgram(
      ['login', server.mcpUrl, ...files.args, '--key', join(home.folder, 'none')],
      home.env(),
    );
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain('--key');
  });
});

describe('authorities that Node is set to trust', () => {
  test.each<[string, (ca: string) => { env: Record<string, string>; nodeArgs?: string[] }]>([
    ['NODE_OPTIONS', (ca) => ({ env: { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: ca } })],
    ["Node's arguments", (ca) => ({ env: { SSL_CERT_FILE: ca }, nodeArgs: ['--use-openssl-ca'] })],
    ['NODE_EXTRA_CA_CERTS', (ca) => ({ env: { NODE_EXTRA_CA_CERTS: ca } })],
  ])('by %s, the sign-in process trusts too', async (_, settings) => {
    await using home = await createTemporaryHome();
    await using browser = await createFakeBrowser(home.folder, 'follow');
    await using server = await startVendor();
    const { ca } = await createFiles(home.folder);
    const { env, nodeArgs = [] } = settings(ca);
    await using host = startRawHost([server.mcpUrl, '--wait'], {
      env: home.env({ BROWSER: browser.command, ...env }),
      nodeArgs,
    });
    await host.initialize();
    expect(await callEcho(host)).toContain('called');
    expect(browser.opened[0]?.env).not.toHaveProperty('NODE_OPTIONS');
  });
});
