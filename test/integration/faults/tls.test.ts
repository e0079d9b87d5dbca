import { beforeAll, describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startTlsMcpServer } from '../../peers/mcp-servers/tls-mcp-server.ts';
import { createAuthority, type LocalAuthority } from '../../peers/net/certificates.ts';

let authority: LocalAuthority;
let other: LocalAuthority;

beforeAll(async () => {
  authority = await createAuthority('Trusted Test Root');
  other = await createAuthority('Corporate Inspection Root');
});

describe('certificates (test/README.md, fault 10)', () => {
  it('of a trusted authority are accepted', async () => {
    await using server = await startTlsMcpServer(await authority.issue());
    await using bridge = (await composeBridge(server.url(), { http: { ca: [authority.pem] } })).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/call')).json.result.method).toBe('tools/call');
  });

  it.each([
    ['expired', { notAfter: new Date(Date.now() - 1_000) }, /has expired|expired on/i, /renew|clock/i],
    ['for another host', { hosts: ['other.example'] }, /other\.example/, /address/i],
  ])('%s is named, with the way out', async (_name, options, what, wayOut) => {
    await using server = await startTlsMcpServer(await authority.issue(options));
    await using bridge = (await composeBridge(server.url(), { http: { ca: [authority.pem] } })).read();
    const { json } = await bridge.initialize();
    expect(json.error.message).toMatch(what);
    expect(json.error.message).toMatch(wayOut);
  });

  it('of an unknown authority: the error names it and says how to trust it', async () => {
    await using server = await startTlsMcpServer(await other.issue());
    await using bridge = (await composeBridge(server.url(), { http: { ca: [authority.pem] } })).read();
    const { json } = await bridge.initialize();
    expect(json.error.message).toContain('Corporate Inspection Root');
    expect(json.error.message).toContain('--ca FILE');
    // No storm: one attempt for each time that somebody asks.
    expect(server.connections).toBe(1);
  });
});

describe('mutual TLS', () => {
  it('shows the certificate of --cert and --key', async () => {
    await using server = await startTlsMcpServer({
      ...(await authority.issue()),
      clientAuthority: other.pem,
    });
    const { origin } = new URL(server.url());
    const clientCertificate = { ...(await other.issue({ name: 'laptop-7' })), origin };
    await using bridge = (
      await composeBridge(server.url(), { http: { ca: [authority.pem], clientCertificate } })
    ).read();
    await bridge.initialize();
    expect((await bridge.request(1, 'tools/list')).json.result).toBeDefined();
    expect(new Set(server.clients.entries)).toEqual(new Set(['laptop-7']));
  });

  it('is requested by name where it is missing', async () => {
    await using server = await startTlsMcpServer({
      ...(await authority.issue()),
      clientAuthority: other.pem,
    });
    const http = await createHttp({ env: {}, ca: [authority.pem] });
    const failure = await http
      .request({ method: 'POST', url: new URL(server.url()), body: '{}' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ hint: expect.stringContaining('--cert FILE') });
    await http.close();
  });
});
