import { describe, expect, it } from 'vitest';
import { fileStore, type LoginStore, openLogin } from '../../../src/library/library.ts';
import { ProgramEngine } from '../../../src/library/store/program-engine.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { LibraryWorld, rpc } from '../../peers/worlds/library-world.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

/** A table as a program would have it. */
function table(): LoginStore & { readonly rows: Map<string, { value: string; version: string }> } {
  const rows = new Map<string, { value: string; version: string }>();
  return {
    rows,
    read: async (name) => rows.get(name),
    write: async (name, value, version) => {
      if (rows.get(name)?.version !== version) return false;
      rows.set(name, { value, version: String(Number(version ?? 0) + 1) });
      return true;
    },
  };
}

describe.each([
  ['a table of the program', async () => ({ store: table(), done: async () => {} })],
  [
    'a folder',
    async () => {
      const home = await TemporaryHome.create();
      return { store: fileStore(home.state), done: () => home.close() };
    },
  ],
] as const)('%s as a store', (_, make) => {
  it('one of many concurrent writes wins, on each revision, and all see its value', async () => {
    const { store, done } = await make();
    const engines = Array.from({ length: 4 }, () => new ProgramEngine(store, systemClock));
    for (let seq = 0; seq < 5; seq++) {
      const puts = Array.from({ length: 24 }, (_, n) =>
        (engines[n % 4] as ProgramEngine).put('cell:a/b', Buffer.from(`${seq}/${n}`), { seq }, false),
      );
      const answers = await Promise.all(puts);
      const winner = answers.findIndex(({ kind }) => kind === 'written');
      expect(answers.filter(({ kind }) => kind === 'written')).toHaveLength(1);
      const found = await (engines[0] as ProgramEngine).get('cell:a/b');
      expect([found.seq, Buffer.from(found.body ?? []).toString()]).toEqual([seq + 1, `${seq}/${winner}`]);
    }
    const late = await (engines[0] as ProgramEngine).put('cell:a/b', Buffer.from('late'), { seq: 3 }, false);
    expect([late.kind, late.cell.seq]).toEqual(['superseded', 5]);
    await done();
  });

  it('shares a login between two programs: one sign-in, one refresh', async () => {
    const { store, done } = await make();
    await using world = await LibraryWorld.create();
    const open = () => openLogin(world.url, { store, storeKey: KEY });
    const [one, two] = [await open(), await open()];
    await expect(one.fetch(world.url, rpc('tools/list'))).rejects.toMatchObject({ code: 'sign_in_needed' });
    await one.signIn({ onPrompt: ({ address }) => void visit(address) });
    expect((await one.status()).state).toBe('signed in');
    expect((await two.fetch(world.url, rpc('tools/list'))).status).toBe(200);
    world.vendor.forgetAccessTokens();
    const answers = await Promise.all([one, two].map((login) => login.fetch(world.url, rpc('tools/list'))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(world.vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ]);
    expect(await two.logout()).toBe(true);
    expect((await two.status()).state).toBe('sign-in needed');
    // Two looks within 50 ms are one.
    await expect.poll(async () => (await one.status()).state).toBe('sign-in needed');
    await Promise.all([one.close(), two.close()]);
    await done();
  });
});

describe('a store of the caller', () => {
  it('holds nothing that is readable without the key', async () => {
    await using world = await LibraryWorld.create();
    const store = table();
    const login = await openLogin(world.url, { store, storeKey: KEY });
    await login.signIn({ onPrompt: ({ address }) => void visit(address) });
    const { accessToken } = world.vendor.issued[0] ?? { accessToken: '?' };
    expect(accessToken).toMatch(/^access-/);
    const texts = [...store.rows.values()].map(({ value }) =>
      Buffer.from((JSON.parse(value) as { body: string }).body, 'base64').toString('latin1'),
    );
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.join()).not.toContain(accessToken);
    await login.close();
  });

  it('that fails counts as unavailable, not as a missing login', async () => {
    await using world = await LibraryWorld.create();
    const store: LoginStore = { read: () => Promise.reject(new Error('no table')), write: async () => true };
    const login = await openLogin(world.url, { store, storeKey: KEY });
    const failed = login.fetch(world.url, rpc('tools/list'));
    await expect(failed).rejects.toMatchObject({ code: 'store_away', cause: { message: 'no table' } });
    await login.close();
  });

  it.each([
    [{ store: table() }, /a shared store needs a key/],
    [
      { store: {} as LoginStore, storeKey: KEY },
      /store: expected a kind, an address, or an object with read and write; got an object/,
    ],
  ])('requires a key, and both functions', async (options, message) => {
    await expect(openLogin('https://mcp.example/mcp', options)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(message),
    });
  });
});
