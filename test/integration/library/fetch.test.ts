import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { authorizedFetch, openLogin } from '../../../src/library/library.ts';
import { startWebOrigin } from '../../peers/net/web-origin.ts';
import { createDpopWorld } from '../../peers/worlds/dpop-world.ts';
import { LibraryWorld, rpc } from '../../peers/worlds/library-world.ts';

describe('fetch for one server', () => {
  it("adds the token, and drops the caller's own Authorization", async () => {
    await using world = await LibraryWorld.create();
    const token = await world.signIn();
    const fetch = authorizedFetch(world.url, world.options());
    const response = await fetch(world.url, rpc('tools/list', { headers: { authorization: 'Bearer mine' } }));
    expect(response.status).toBe(200);
    expect(response.url).toBe(world.url);
    expect(await response.json()).toMatchObject({ result: { tools: [{ name: 'echo' }] } });
    expect(world.vendor.to('/mcp').map(({ headers }) => headers.authorization)).toEqual([`Bearer ${token}`]);
  });

  it('replaces an expired token before the request and a refused one after a 401, and sends the body again', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn({ obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() - 1_000 });
    const fetch = authorizedFetch(world.url, world.options());
    expect((await fetch(world.url, rpc('tools/list'))).status).toBe(200);
    expect(world.vendor.to('/mcp').map(({ headers }) => headers.authorization)).toEqual(['Bearer access-2']);

    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const form = new FormData();
    form.set('jsonrpc', '2.0');
    const bodies: (readonly [RequestInit['body'], RegExp])[] = [
      [text, /^\{"jsonrpc/],
      [Buffer.from(text), /^\{"jsonrpc/],
      [new Blob([text]), /^\{"jsonrpc/],
      [new URLSearchParams({ a: 'b c' }), /^a=b\+c$/],
      [form, /name="jsonrpc"\r\n\r\n2\.0/],
    ];
    world.vendor.habits = {
      any: ({ path, headers }, vendor) =>
        path !== '/mcp'
          ? undefined
          : headers.authorization === `Bearer ${vendor.issued.at(-1)?.accessToken}`
            ? { status: 202 }
            : vendor.unauthorized(),
    };
    for (const [body, pattern] of bodies) {
      const before = world.vendor.to('/mcp').length;
      world.vendor.forgetAccessTokens();
      const { status } = await fetch(world.url, { method: 'POST', body: body ?? null });
      expect(status).toBe(202);
      const sent = world.vendor.to('/mcp').slice(before);
      expect(sent.map(({ body: text }) => text)).toEqual([expect.stringMatching(pattern), sent[0]?.body]);
      expect(sent[0]?.headers['content-type']).toBe(sent[1]?.headers['content-type']);
    }
  });

  it('sends a stream once: after a 401 it renews the login, and the error says so', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn();
    world.vendor.forgetAccessTokens();
    await using login = await open(world);
    const stream = () => ({
      ...rpc('tools/list'),
      body: ReadableStream.from([
        Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })),
      ]),
      duplex: 'half' as const,
    });
    await expect(login.fetch(world.url, stream())).rejects.toMatchObject({ code: 'not_replayable' });
    expect(world.vendor.to('/mcp')).toHaveLength(1);
    expect((await login.fetch(world.url, stream())).status).toBe(200);
  });

  it('sends the token to no other origin, by address or by redirect', async () => {
    await using world = await LibraryWorld.create();
    await using stranger = await startWebOrigin();
    await world.signIn();
    const elsewhere = { status: 302, headers: { location: `${stranger.origin}/there` } };
    world.vendor.habits = { any: ({ path }) => (path === '/moved' ? elsewhere : undefined) };
    await using login = await open(world, { header: 'X-Key: secret' });
    for (const address of [`${stranger.origin}/there`, `${world.vendor.origin}/moved`]) {
      expect((await login.fetch(address)).url).toBe(`${stranger.origin}/there`);
    }
    expect(stranger.requests.entries).toHaveLength(2);
    for (const { headers } of stranger.requests.entries) {
      expect(headers.authorization).toBeUndefined();
      expect(headers['x-key']).toBeUndefined();
    }
    expect(world.vendor.to('/moved')[0]?.headers['x-key']).toBe('secret');
    const refused = login.fetch(`${world.vendor.origin}/moved`, { method: 'PUT', body: 'for the server' });
    await expect(refused).rejects.toMatchObject({ code: 'other_origin' });
    expect(stranger.requests.entries).toHaveLength(2);
  });

  it("says that a sign-in is needed, and does not try the caller's own Authorization", async () => {
    await using world = await LibraryWorld.create();
    const fetch = authorizedFetch(world.url, world.options());
    const call = fetch(world.url, rpc('tools/list', { headers: { authorization: 'Bearer mine' } }));
    await expect(call).rejects.toMatchObject({ code: 'sign_in_needed' });
    expect(world.vendor.to('/mcp').map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("sends with the caller's own fetch", async () => {
    await using world = await LibraryWorld.create();
    const token = await world.signIn();
    world.vendor.forgetAccessTokens();
    const sent: (string | null)[] = [];
    const fetch = authorizedFetch(
      world.url,
      world.options({
        fetch: (input, init) => {
          sent.push(new Headers(init?.headers).get('authorization'));
          return globalThis.fetch(input, init);
        },
      }),
    );
    expect((await fetch(world.url, rpc('tools/list'))).status).toBe(200);
    expect(sent).toEqual([`Bearer ${token}`, 'Bearer access-2']);
  });

  it('returns everything else unchanged: statuses, headers, cookies, compressed bodies, no body', async () => {
    await using world = await LibraryWorld.create();
    await using origin = await startWebOrigin();
    await using login = await open(world);
    origin.on('/packed', (_, response) =>
      response
        .writeHead(418, { 'content-encoding': 'gzip', 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] })
        .end(gzipSync('short and stout')),
    );
    origin.on('/empty', (_, response) => response.writeHead(204).end());
    const packed = await login.fetch(new URL('/packed', origin.origin));
    expect([packed.status, packed.headers.get('x-one'), packed.headers.getSetCookie()]).toEqual([
      418,
      '1',
      ['a=1', 'b=2'],
    ]);
    expect(await packed.text()).toBe('short and stout');
    const empty = await login.fetch(new Request(`${origin.origin}/empty`, { method: 'DELETE' }));
    expect([empty.status, empty.body]).toEqual([204, null]);
    const head = await login.fetch(`${origin.origin}/packed`, { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([418, null]);
  });

  it('aborts a response with the signal of its call', async () => {
    await using world = await LibraryWorld.create();
    await using origin = await startWebOrigin();
    await using login = await open(world);
    const gone = new Promise((resolve) => {
      origin.on('/stream', (_, response) => {
        response.on('close', resolve);
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      });
    });
    const stop = new AbortController();
    const response = await login.fetch(`${origin.origin}/stream`, { signal: stop.signal });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? '').toString()).toBe('data: 1\n\n');
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(reader?.read()).rejects.toBe(reason);
    await gone;
  });

  it('ends with the signal of the call, and with the login', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn();
    const login = await open(world);
    const reason = new Error('enough');
    await expect(login.fetch(world.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await login.close();
    await expect(login.fetch(world.url)).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('with a token that is bound to a key', () => {
  it("each request has a proof with the server's nonce; token() says what to use instead", async () => {
    await using bound = await createDpopWorld();
    await bound.world.tools();
    const home = bound.world.home.state;
    const { url } = bound.gate;
    const login = await openLogin(url, { home, nonInteractive: true });
    const initialize = rpc('initialize', {
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'p', version: '1' } },
      }),
    });
    const answers = await Promise.all([1, 2, 3].map(() => login.fetch(url, initialize)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await Promise.all(answers.map((answer) => answer.body?.cancel()));
    expect(bound.gate.events.entries.filter(({ outcome }) => outcome.startsWith('invalid'))).toEqual([]);
    expect(bound.gate.outcomes('use_dpop_nonce').length).toBeGreaterThan(0);
    await expect(login.token()).rejects.toMatchObject({ code: 'dpop' });
    await login.close();
  });
});

async function open(world: LibraryWorld, more = {}) {
  const login = await openLogin(world.url, world.options(more));
  return Object.assign(login, { [Symbol.asyncDispose]: () => login.close() });
}
