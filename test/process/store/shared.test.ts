import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Command, runProgram } from '../../peers/hosts/command.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { hasHostNames, hasRedis } from '../../peers/processes/tools.ts';
import { accessRules, RedisServer } from '../../peers/redis/redis-server.ts';
import { StormWorld } from '../../storm/world.ts';

const PREFIX = 'mcp-drawbridge';
const PASSWORD = 'pass-canary-4711';

let world: StormWorld;
/** The home of another machine. */
let other: TemporaryHome;
let engine: RedisServer;
let keyFile: string;
let settings: Record<string, string>;

beforeEach(async () => {
  if (!hasRedis()) return;
  world = await StormWorld.create();
  other = await TemporaryHome.create();
  const user = { name: 'fleet', password: PASSWORD, rules: accessRules(PREFIX) };
  engine = await RedisServer.start({ keepsData: true, user });
  keyFile = join(other.folder, 'store.key');
  expect(await run('store', 'key', keyFile)).toMatchObject({ code: 0, stdout: '' });
  settings = { MCP_DRAWBRIDGE_STORE: engine.url, MCP_DRAWBRIDGE_STORE_KEY_FILE: keyFile };
});
afterEach(async () => {
  await engine?.[Symbol.asyncDispose]();
  await other?.close();
  await world?.[Symbol.asyncDispose]();
});

const run = (...argv: string[]) => runProgram(argv, world.home.env(settings), '', world.program);
/** The same on the other machine. */
const runThere = (...argv: string[]) => runProgram(argv, other.env(settings), '', world.program);
const ask = ({ host }: Pick<ReturnType<StormWorld['start']>, 'host'>) =>
  host.request('tools/call', { name: 'echo', arguments: { value: 1 } }, { timeoutMs: 60_000 });

describe.skipIf(!hasRedis())('a store that machines share', () => {
  test('a login moved there serves both machines; logout ends it for both', async () => {
    await world.signIn();
    const { url } = world.server;
    const shown = `redis://fleet@127.0.0.1:${engine.port}`;
    const moved = await run('move', url, '--to', 'store');
    expect(moved).toMatchObject({ code: 0, stdout: '' });
    expect(moved.stderr).toContain(shown);
    expect(moved.stderr).not.toContain(PASSWORD);

    const here = world.start({ env: settings });
    const there = world.start({ env: { ...settings, ...homeOf(other) } });
    for (const one of [here, there]) expect((await one.call()).kind).toBe('served');
    world.authority.tokens.revokeAll();
    const ends = await Promise.all([here.call(), there.call()]);
    expect(ends.map(({ kind }) => kind)).toEqual(['served', 'served']);
    expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });

    const status = await runThere('status');
    expect(status.stdout).toContain('signed in');
    // One that is started without the store says where the login is, and asks nobody.
    const without = await runProgram(['token', url], world.home.env(), '', world.program);
    expect(without).toMatchObject({ code: 1, stdout: '' });
    expect(without.stderr).toContain(shown);
    const lost = world.start({ env: {} });
    await lost.host.initialize({}, { timeoutMs: 30_000 });
    const refused = await ask(lost);
    expect(refused.error?.message).toContain(shown);

    expect(await runThere('logout', url)).toMatchObject({ code: 0 });
    const gone = await ask(here);
    expect(gone.error?.message).toMatch(
      new RegExp(`login ${url} .*--store ${shown} --store-key-file ${keyFile}`),
    );
    expect(JSON.stringify(gone)).not.toContain(PASSWORD);
    expect(world.browser.opened).toHaveLength(0);
  });

  test('moved back: the folder has it again', async () => {
    await world.signIn();
    const { url } = world.server;
    await run('move', url, '--to', 'store');
    expect(await run('move', url, '--to', 'file')).toMatchObject({ code: 0 });
    expect((await runProgram(['token', url], world.home.env(), '', world.program)).code).toBe(0);
    expect((await runThere('token', url)).code).toBe(3);
    expect(world.authority.counters).toMatchObject({ replays: 0, codeExchanges: 1 });
  });

  test('the engine is stopped: the known token works, then calls fail and name it, then it recovers by itself', async () => {
    await world.signIn();
    await run('move', world.server.url, '--to', 'store');
    const bridge = world.start({ env: settings });
    expect((await bridge.call()).kind).toBe('served');
    engine.process.suspend();
    for (let calls = 0; calls < 5; calls++) expect((await bridge.call()).kind).toBe('served');
    // A cold start is answered by the stand-in.
    const cold = world.start({ env: settings });
    expect((await cold.host.initialize({}, { timeoutMs: 30_000 })).result).toBeDefined();
    world.authority.tokens.revokeAll();
    const failed = await ask(bridge);
    expect(failed.error?.message).toContain(`127.0.0.1:${engine.port}`);
    expect(failed.error?.message).not.toContain(PASSWORD);

    engine.process.resume();
    for (const one of [bridge, cold])
      await expect.poll(async () => (await ask(one)).error?.message, { timeout: 60_000 }).toBeUndefined();
    expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
    expect(world.browser.opened).toHaveLength(0);
  });

  test('a slow key program: initialize is answered meanwhile, and the call is served', async () => {
    await world.signIn();
    await run('move', world.server.url, '--to', 'store');
    const [asked, may] = [join(other.folder, 'asked'), join(other.folder, 'may')];
    const script = join(other.folder, 'print-key.sh');
    await writeFile(script, `touch ${asked}; while [ ! -e ${may} ]; do sleep 0.05; done; cat ${keyFile}`);
    const bridge = world.start({
      env: { MCP_DRAWBRIDGE_STORE: engine.url, MCP_DRAWBRIDGE_STORE_KEY_COMMAND: `sh ${script}` },
    });
    expect((await bridge.host.initialize({}, { timeoutMs: 30_000 })).result).toBeDefined();
    await expect.poll(() => existsSync(asked), { timeout: 30_000 }).toBe(true);
    const call = ask(bridge);
    await writeFile(may, '');
    expect((await call).error?.message).toBeUndefined();
    expect(world.authority.counters).toMatchObject({ refreshPosts: 0, codeExchanges: 1 });
  });

  test.skipIf(!hasHostNames())(
    'login takes the place of a sign-in at another machine, whose address leads nowhere from here',
    async () => {
      const { url } = world.server;
      const elsewhere = ['unshare', '-ru', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh'];
      const there = new Command(
        ['login', url, '--no-browser'],
        other.env(settings),
        world.program,
        elsewhere,
      );
      await there.said(/http:\/\/127\.0\.0\.1:\d+\/auth/);
      const env = world.home.env({ ...settings, BROWSER: world.browser.command });
      const here = await runProgram(['login', url], env, '', world.program);
      expect(here).toMatchObject({ code: 0, stdout: '' });
      expect(here.stderr).toContain('A sign-in was going on at "elsewhere"; this one takes its place.');
      const end = await there.ended;
      expect(end.code).not.toBe(0);
      expect(end.stderr).toContain('another sign-in took over');
      expect((await runThere('token', url)).code).toBe(0);
      expect(world.authority.counters).toMatchObject({ codeExchanges: 1 });
    },
  );

  /** A person runs the command that the bridges name, and all of them go on. */
  async function signInByCommand(...bridges: readonly ReturnType<StormWorld['start']>[]) {
    const { url } = world.server;
    for (const { host } of bridges) {
      const { error } = await host.initialize({}, { timeoutMs: 30_000 });
      expect(error?.message).toContain(`login ${url}`);
    }
    expect(world.browser.opened).toHaveLength(0);
    const env = world.home.env({ ...settings, BROWSER: world.browser.command });
    expect(await runProgram(['login', url], env, '', world.program)).toMatchObject({ code: 0 });
    expect(world.browser.opened).toHaveLength(1);
    for (const bridge of bridges) {
      expect((await bridge.host.initialize({}, { timeoutMs: 30_000 })).error).toBeUndefined();
      expect((await ask(bridge)).error).toBeUndefined();
    }
    expect((await runThere('token', url)).code).toBe(0);
  }

  const SWAP =
    "local b = redis.call('HGET', KEYS[1], 'b'); redis.call('HSET', KEYS[1], 'b', redis.call('HGET', KEYS[2], 'b')); redis.call('HSET', KEYS[2], 'b', b)";
  test.each([
    ['cut', "redis.call('HSET', KEYS[1], 'b', string.sub(redis.call('HGET', KEYS[1], 'b'), 1, 40))"],
    ['swapped', SWAP],
    ['replaced by 1 MB', "redis.call('HSET', KEYS[1], 'b', string.rep('x', 1048576))"],
  ])('cells that are %s cost one sign-in, by command', async (_, script) => {
    await world.signIn();
    await run('move', world.server.url, '--to', 'store');
    const cells = (await engine.call('KEYS', `${PREFIX}:*`)) as readonly string[];
    const [first = '', ...others] = cells;
    expect(others).not.toHaveLength(0);
    for (const cell of script === SWAP ? others : cells) await engine.call('EVAL', script, '2', cell, first);
    const there = { ...settings, ...homeOf(other) };
    await signInByCommand(world.start({ env: settings }), world.start({ env: there }));
    expect(world.authority.counters).toMatchObject({ codeExchanges: 2, refreshPosts: 0, replays: 0 });
  });

  test('a cell that is replayed, with a token that was used, costs one sign-in', async () => {
    await world.signIn();
    await run('move', world.server.url, '--to', 'store');
    const [cell = ''] = (await engine.call('KEYS', `${PREFIX}:*:c`)) as readonly string[];
    await engine.call('COPY', cell, 'old');
    world.authority.tokens.revokeAll();
    const first = world.start({ env: settings });
    expect((await first.call()).kind).toBe('served');
    first.host.endStdin();
    expect((await first.host.closed).code).toBe(0);
    await engine.call('COPY', 'old', cell, 'REPLACE');
    world.authority.tokens.revokeAll();
    // The token of the old cell is not out of date by its time: `login` asks the server about it.
    await signInByCommand(world.start({ env: settings }));
    expect(world.authority.counters).toMatchObject({ codeExchanges: 2, replays: 1 });
  });

  test('a wrong key causes an error that says so, and no sign-in', async () => {
    await world.signIn();
    const { url } = world.server;
    await run('move', url, '--to', 'store');
    const wrong = join(other.folder, 'wrong.key');
    await writeFile(wrong, Buffer.alloc(32, 9).toString('hex'), { mode: 0o600 });
    settings = { ...settings, MCP_DRAWBRIDGE_STORE_KEY_FILE: wrong };
    const end = await run('token', url);
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toMatch(/key.*\[doctor: store\.engine\]/s);
    // Beside the right one, too: with it logins would have other names.
    await writeFile(wrong, `${await readFile(keyFile, 'utf8')}${Buffer.alloc(32, 9).toString('hex')}\n`);
    const both = await run('token', url);
    expect(both).toMatchObject({ code: 2, stdout: '' });
    expect(both.stderr).toContain('store key --add');
  });

  test('a key is changed beside bridges that run, and the old one is taken away', async () => {
    await world.signIn();
    const { url } = world.server;
    await run('move', url, '--to', 'store');
    const bridge = world.start({ env: settings });
    expect((await bridge.call()).kind).toBe('served');
    expect(await run('store', 'reseal')).toMatchObject({ code: 0 });
    expect(await run('store', 'key', '--add', keyFile)).toMatchObject({ code: 0, stdout: '' });
    const [old = '', next = ''] = (await readFile(keyFile, 'utf8')).split('\n');
    await writeFile(keyFile, `${next}\n${old}\n`);
    const shown = async () =>
      (JSON.parse((await run('status', '--json')).stdout) as readonly Record<string, unknown>[])[0];
    expect(await shown()).toMatchObject({
      state: 'signed in',
      sealedUnder: { keyId: expect.stringMatching(/^[0-9a-f]{8}$/), isFirst: false },
      engine: { engine: expect.stringContaining('redis'), clockAheadMs: expect.any(Number) },
    });
    expect((await run('status')).stderr).toContain('Under another key than the first: 1 of 1 logins');
    const resealed = await run('store', 'reseal');
    expect(resealed).toMatchObject({ code: 0, stdout: '' });
    expect(resealed.stderr).toMatch(/Sealed 1 of 1 under the key [0-9a-f]{8} .*; 0 of them were already/);
    expect(await shown()).toMatchObject({
      sealedUnder: { isFirst: true },
      engine: { epochAgeMs: expect.any(Number) },
    });
    await writeFile(keyFile, `${next}\n`);
    expect((await runThere('token', url)).code).toBe(0);
    world.authority.tokens.revokeAll();
    expect((await bridge.call()).kind).toBe('served');
    expect((await runThere('token', url)).code).toBe(0);
    expect(world.authority.counters).toMatchObject({ refreshPosts: 1, replays: 0, codeExchanges: 1 });
    // Whoever has only the old one is shut out.
    await writeFile(keyFile, `${old}\n`);
    const end = await runThere('store', 'reseal');
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('is sealed under the key');
  });
});

/** The variables that make a program of this world one of another machine. */
function homeOf(home: TemporaryHome): Record<string, string> {
  const env = home.env();
  return Object.fromEntries(Object.entries(env).filter(([name]) => /HOME|XDG/.test(name)));
}
