import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { authorizedFetch, openLogin } from '../../../src/library/library.ts';
import { LibraryWorld, rpc } from '../../peers/worlds/library-world.ts';

describe('a careless program', () => {
  it('changes its options and URL afterwards: the first values count', async () => {
    await using world = await LibraryWorld.create();
    const token = await world.signIn();
    const header = ['X-One: 1'];
    const options = { ...world.options({ header }), profile: 'default' };
    const address = new URL(world.url);
    const fetch = authorizedFetch(address, options);
    header[0] = 'X-One: 2';
    header.push('X-Two: 2');
    options.profile = 'another';
    address.host = 'elsewhere.example';
    expect((await fetch(world.url, rpc('tools/list'))).ok).toBe(true);
    const sent = world.vendor.to('/mcp').at(-1)?.headers;
    expect(sent).toMatchObject({ authorization: `Bearer ${token}`, 'x-one': '1' });
    expect(sent).not.toHaveProperty('x-two');
  });

  it('has code that adds options to Object.prototype: they are ignored', async () => {
    await using world = await LibraryWorld.create();
    const token = await world.signIn();
    const polluted = {
      header: 'X-Polluted: 1',
      token: 'polluted',
      home: '/nowhere',
      fetch: () => 'polluted',
    };
    for (const [name, value] of Object.entries(polluted)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    try {
      const response = await authorizedFetch(world.url, world.options())(world.url, rpc('tools/list'));
      expect(response.ok).toBe(true);
    } finally {
      for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
    }
    const sent = world.vendor.to('/mcp').at(-1)?.headers;
    expect(sent?.authorization).toBe(`Bearer ${token}`);
    expect(sent).not.toHaveProperty('x-polluted');
  });

  it('replaces the global fetch, as test runners do: nothing goes through it', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn({ obtainedAt: Date.now() - 7_200_000, expiresAt: Date.now() - 3_600_000 });
    const { fetch } = globalThis;
    globalThis.fetch = () => Promise.reject(new Error('the fetch of a test'));
    try {
      const response = await authorizedFetch(world.url, world.options())(world.url, rpc('tools/list'));
      expect(response.ok).toBe(true);
    } finally {
      globalThis.fetch = fetch;
    }
    expect(world.vendor.tokenForms).toHaveLength(1);
  });

  it('uses one signal for everything: no listener stays on it', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn();
    const login = await openLogin(world.url, world.options());
    const { signal } = new AbortController();
    for (let call = 0; call < 5; call++) {
      await (await login.fetch(world.url, rpc('tools/list', { signal }))).text();
      await login.token({ signal });
    }
    await login.close();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('of onPrompt');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('of onPrompt');
      },
    ],
  ])(
    'has an onPrompt that %s: a waiting call gets an error, and nothing else happens',
    async (_, onPrompt) => {
      await using world = await LibraryWorld.create();
      const options = world.options({
        store: 'memory',
        nonInteractive: false,
        interactive: true,
        wait: true,
        onPrompt,
      });
      const login = await openLogin(world.url, options);
      await expect(login.fetch(world.url, rpc('tools/list'))).rejects.toThrow('of onPrompt');
      await expect(login.signIn()).rejects.toThrow('of onPrompt');
      await login.close();
    },
  );

  it('closes twice, and makes calls afterwards', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn();
    const login = await openLogin(world.url, world.options());
    await Promise.all([login.close(), login.close()]);
    await expect(login.fetch(world.url, rpc('tools/list'))).rejects.toMatchObject({ code: 'aborted' });
    await expect(login.token()).rejects.toMatchObject({ code: 'aborted' });
    await expect(login.signIn()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a careless server', () => {
  it('answers with a status that Response does not allow', async () => {
    await using world = await LibraryWorld.create({ mcp: () => ({ status: 999 }) });
    await world.signIn();
    const fetch = authorizedFetch(world.url, world.options());
    await expect(fetch(world.url, rpc('tools/list'))).rejects.toMatchObject({ code: 'bad_answer' });
  });

  it('refuses every token: one refresh, and an error that says why', async () => {
    const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } };
    await using world = await LibraryWorld.create({ mcp: () => refusal });
    await world.signIn();
    const fetch = authorizedFetch(world.url, world.options());
    for (let call = 0; call < 4; call++) {
      await expect(fetch(world.url, rpc('tools/list'))).rejects.toMatchObject({
        code: 'fresh_token_refused',
      });
    }
    expect(world.vendor.tokenForms).toHaveLength(1);
  });
});
