import { describe, expect, it } from 'vitest';
import { BridgeWorld, type BridgeWorldOptions } from '../peers/bridge-world.ts';
import { listen } from '../peers/listening.ts';
import { WorkersServer, type WorkersServerOptions } from '../peers/workers-server.ts';

/** Cloudflare's authorization server, resource server and their storage rules, as they are: someone else's reading of the specifications. */
interface World extends AsyncDisposable {
  readonly server: WorkersServer;
  readonly person: BridgeWorld;
}

async function world(
  options: WorkersServerOptions = {},
  args: readonly string[] = [],
  how: BridgeWorldOptions = {},
): Promise<World> {
  const server = await WorkersServer.start(options);
  const person = await BridgeWorld.to(server.url, args, how);
  const close = async () => {
    await person[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { server, person, [Symbol.asyncDispose]: close };
}

const call = ({ person }: World, id: string, name = 'echo') =>
  person.bridge.request(id, 'tools/call', { name, arguments: name === 'echo' ? { text: id } : {} });

async function freePort(): Promise<number> {
  const { port, close } = await listen(() => {});
  await close();
  return port;
}

const served = (text: string) => ({ json: { result: { content: [{ text }] } } });
const grants = ({ server }: World) => server.tokenForms.map((form) => form.get('grant_type') ?? 'revocation');

describe('a person', () => {
  it('signs in on its page, is served, refreshed with rotation, and signed out for good', async () => {
    await using w = await world({ asks: true }, [], { browse: { answer: 'allow' } });
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    const query = new URL(w.person.opened[0] ?? '').searchParams;
    expect(query.get('resource')).toBe(w.server.url);
    expect(query.get('scope')).toBe('mcp:read');
    const first = await w.person.record();
    for (const id of ['a', 'b']) {
      w.server.endAccessTokens();
      expect(await call(w, id)).toMatchObject(served(id));
      expect(await call(w, `${id} again`)).toMatchObject(served(`${id} again`));
    }
    expect(grants(w)).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
    const record = await w.person.record();
    expect(record?.tokens?.refreshToken).not.toBe(first?.tokens?.refreshToken);

    const { accessToken = '', refreshToken = '' } = record?.tokens ?? {};
    expect(await w.person.logout()).toMatchObject({ outcome: 'done' });
    const headers = { authorization: `Bearer ${accessToken}` };
    expect((await fetch(w.server.url, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    const body = new URLSearchParams({
      ...{ grant_type: 'refresh_token', refresh_token: refreshToken },
      client_id: record?.client?.clientId ?? '',
    });
    const answer = await fetch(`${w.server.issuer}/oauth/token`, { method: 'POST', body });
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('says no on its page: told so, and nothing is exchanged', async () => {
    await using w = await world({ asks: true }, [], { browse: { answer: 'deny' } });
    expect(JSON.stringify(await w.person.tools())).toContain('declined');
    expect(grants(w)).toEqual([]);
  });

  it.each([
    ['any port', async () => []],
    ['a fixed port', async () => ['--callback-port', String(await freePort())]],
  ])('is asked for more where a call wants more, back on %s, and the call is served', async (_name, args) => {
    await using w = await world({}, await args());
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    expect(await call(w, 'more', 'write')).toMatchObject(served('written'));
    const asked = w.person.opened.map((address) => new URL(address).searchParams.get('scope'));
    expect(asked).toEqual(['mcp:read', 'mcp:read mcp:write']);
    // The page that the browser was left on does not keep its port from the next sign-in.
    expect(w.server.to('/oauth/register')).toHaveLength(1);
  });

  it('is not asked again when the answer to a refresh is lost: the server takes the last token once more', async () => {
    await using w = await world();
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endAccessTokens();
    w.server.loseAnswers('/oauth/token', 1);
    // Whatever becomes of this one: it says so, and nothing is lost.
    await call(w, 'lost');
    await expect.poll(() => call(w, `later ${Math.random()}`)).toMatchObject({ json: { result: {} } });
    expect(new Set(w.server.tokenForms.slice(1).map((form) => form.get('refresh_token'))).size).toBe(1);
    expect(w.person.opened).toHaveLength(1);
  });

  it('whose registration was forgotten: found out before the browser opens, registered once more', async () => {
    await using w = await world();
    expect(await w.person.tools()).toEqual(['echo', 'write']);
    w.server.endGrants();
    w.server.forgetClients();
    expect(await call(w, 'anew')).toMatchObject(served('anew'));
    expect(w.server.to('/oauth/register')).toHaveLength(2);
    expect(w.person.opened).toHaveLength(2);
  });
});
