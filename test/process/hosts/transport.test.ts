import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { startSseMcpServer } from '../../peers/mcp-servers/bare/sse-mcp-server.ts';
import { startTlsMcpServer } from '../../peers/mcp-servers/tls-mcp-server.ts';
import { createAuthority } from '../../peers/net/certificates.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';

it('remembers on disk that a server speaks HTTP+SSE, and does not probe again', async () => {
  await using server = await startSseMcpServer();
  await using home = await createTemporaryHome();
  for (const start of [1, 2]) {
    await using host = startRawHost([server.url], { env: home.env() });
    await host.initialize();
    expect((await host.request('echo', { start })).result).toEqual({ method: 'echo', params: { start } });
    host.endStdin();
    expect((await host.exited).code).toBe(0);
    host.assertPure();
  }
  expect(server.methods().filter((method) => method === 'initialize')).toHaveLength(3);
});

it.each([
  [['--transport', 'sse'], 0],
  [['--transport', 'sse-first'], 0],
  [['--transport', 'http-first'], 1],
] as const)('%j: %i POST to the address of the stream', async (flags, posts) => {
  await using server = await startSseMcpServer();
  await using home = await createTemporaryHome();
  await using host = startRawHost([server.url, ...flags], { env: home.env() });
  await host.initialize();
  expect((await host.request('echo')).result).toBeDefined();
  expect(server.requests.count(({ method, url }) => method === 'POST' && url.startsWith('/sse'))).toBe(posts);
});

it('--transport http does not look for HTTP+SSE', async () => {
  await using server = await startSseMcpServer();
  await using home = await createTemporaryHome();
  await using host = startRawHost([server.url, '--transport', 'http'], { env: home.env() });
  expect((await host.initialize()).error?.message).toContain('status 405');
  expect(server.requests.count(({ method }) => method === 'GET')).toBe(0);
});

it('presents a client certificate from files, and refuses files without one', async () => {
  const authority = await createAuthority('Trusted Test Root');
  await using server = await startTlsMcpServer({
    ...(await authority.issue()),
    clientAuthority: authority.pem,
  });
  await using home = await createTemporaryHome();
  const own = await authority.issue({ name: 'laptop-7' });
  const file = (name: string) => join(home.folder, name);
  for (const [name, text] of Object.entries({ ca: authority.pem, cert: own.cert, key: own.key })) {
    await writeFile(file(`${name}.pem`), text);
  }
  const flags = ['--ca', file('ca.pem'), '--cert', file('cert.pem')];
  await using host = startRawHost([server.url(), ...flags, '--key', file('key.pem')], { env: home.env() });
  await host.initialize();
  expect((await host.request('tools/call')).result).toEqual({ method: 'tools/call' });
  expect(new Set(server.clients.entries)).toEqual(new Set(['laptop-7']));

  await using wrong = startRawHost([server.url(), ...flags, '--key', file('ca.pem')], { env: home.env() });
  expect((await wrong.exited).code).toBe(2);
  expect(wrong.stderr).toContain('the file named by --key contains no private key in PEM form');
});

it('names the untrusted authority, on stderr and to the host', async () => {
  const authority = await createAuthority('Corporate Inspection Root');
  await using server = await startTlsMcpServer(await authority.issue());
  await using home = await createTemporaryHome();
  await using host = startRawHost([server.url()], { env: home.env() });
  const answer = await host.initialize();
  expect(answer.error?.message).toContain('issued by "Corporate Inspection Root"');
  expect(answer.error?.message).toContain('--ca FILE');
  expect(host.stderr).toContain('Corporate Inspection Root');
});
