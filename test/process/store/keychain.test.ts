import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { readSealing } from '../../../src/store/conversion/seal-folder.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { KillPlans } from '../../peers/faults/kill-plan.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { CredentialHelper } from '../../peers/keychains/credential-helper.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { isPosix } from '../../peers/processes/tools.ts';
import { StormWorld } from '../../storm/world.ts';

/** All bytes of a folder. */
async function bytesIn(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.lock'));
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name), 'latin1').catch(() => '')),
  );
  return texts.join('\n');
}

describe.skipIf(!isPosix())('bridges', () => {
  test('keep working while their logins are sealed and unsealed: one refresh per lapse, no sign-in', async () => {
    await using world = await StormWorld.create();
    const helper = await CredentialHelper.create(world.home.folder);
    const env = { PATH: helper.path };
    const run = (...argv: string[]) => runProgram(argv, world.home.env(env), '', world.program);
    const login = await world.signIn();
    expect(await bytesIn(world.credentials)).toContain(`"${login.tokens?.refreshToken}"`);
    const running = [world.start({ env }), world.start({ env })];
    const serve = async (lapse: number, instances = running) => {
      world.authority.tokens.revokeAll();
      const ends = await Promise.all(instances.map((one) => one.call()));
      expect(ends.map(({ kind }) => kind)).toEqual(instances.map(() => 'served'));
      expect(world.authority.counters).toMatchObject({ refreshPosts: lapse, replays: 0, codeExchanges: 1 });
    };
    await serve(1);

    const on = await run('keychain', 'on', '--backend', helper.backend);
    expect(on).toMatchObject({ code: 0, stderr: expect.stringContaining('are sealed') });
    // One more, which was started with nothing that says so.
    await serve(2, [...running, world.start({ env })]);
    const text = await bytesIn(world.credentials);
    for (const secret of [login.tokens?.refreshToken, login.tokens?.accessToken, login.issuer])
      expect(text).not.toContain(`"${secret}"`);
    expect((await run('keychain', 'status')).code).toBe(0);
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([{ state: 'signed in' }]);

    expect((await run('keychain', 'off')).code).toBe(0);
    await serve(3);
    expect(await bytesIn(world.credentials)).toContain(`"${login.issuer}"`);
    expect(world.browser.opened).toHaveLength(0);
    expect(await world.corruptRecords()).toBe(0);
  });

  test('with a locked keychain answer initialize, fail calls with the way out, open no browser, and recover', async () => {
    await using world = await StormWorld.create();
    const helper = await CredentialHelper.create(world.home.folder);
    const env = { PATH: helper.path };
    const run = (...argv: string[]) => runProgram(argv, world.home.env(env), '', world.program);
    await world.signIn();
    expect((await run('keychain', 'on', '--backend', helper.backend)).code).toBe(0);
    const before = await bytesIn(world.credentials);
    await helper.lock();

    const bridge = world.start({ env });
    expect((await bridge.host.initialize({}, { timeoutMs: 30_000 })).result).toBeDefined();
    const call = { name: 'echo', arguments: { value: 1 } };
    const failed = await bridge.host.request('tools/call', call, { timeoutMs: 30_000 });
    expect(failed.error?.message).toContain('locked');
    expect(failed.error?.message).toContain('Unlock');

    const { url } = world.server;
    for (const argv of [
      ['token', url],
      ['logout', url],
      ['tokens', 'export', url],
      ['keychain', 'off'],
    ]) {
      const end = await run(...argv);
      expect({ argv, code: end.code, stdout: end.stdout }).toEqual({ argv, code: 1, stdout: '' });
      expect(end.stderr).toContain('Unlock');
    }
    expect((await run('keychain', 'status', '--json')).stdout).toContain('keychain_locked');
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([{ state: 'sealed' }]);
    expect(await bytesIn(world.credentials)).toBe(before);

    await helper.unlock();
    await expect
      .poll(async () => (await bridge.host.request('tools/call', call, { timeoutMs: 30_000 })).error, {
        timeout: 30_000,
      })
      .toBeUndefined();
    expect(world.browser.opened).toHaveLength(0);
    expect(world.authority.counters).toMatchObject({ codeExchanges: 1, replays: 0 });
  });
});

describe.skipIf(!isPosix())('a keychain that asks its owner', () => {
  test.each(['stored', 'in the environment'])(
    'delays no initialize, and the call is served: a login %s',
    async (where) => {
      await using world = await StormWorld.create();
      const helper = await CredentialHelper.create(world.home.folder);
      const run = (...argv: string[]) =>
        runProgram(argv, world.home.env({ PATH: helper.path }), '', world.program);
      await world.signIn();
      const { stdout } = await run('tokens', 'export', world.server.url);
      expect((await run('keychain', 'on', '--backend', helper.backend)).code).toBe(0);
      const env = {
        PATH: helper.path,
        ...(where === 'stored' ? {} : { MCP_DRAWBRIDGE_CREDENTIALS: stdout }),
      };
      await helper.halt();
      const bridge = world.start({ env });
      expect((await bridge.host.initialize({}, { timeoutMs: 30_000 })).result).toBeDefined();
      // Still waiting: it is not its answer, nor the end of its time, that let the bridge answer.
      await expect.poll(() => helper.waiting()).toHaveLength(1);
      await helper.resume();
      const call = { name: 'echo', arguments: { value: 1 } };
      const { error } = await bridge.host.request('tools/call', call, { timeoutMs: 30_000 });
      expect(error).toBeUndefined();
      expect(world.authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
    },
  );
});

describe.skipIf(!isPosix())('a bridge started with --keychain', () => {
  test('signs in and stores the login sealed; a lost key costs a sign-in', async () => {
    await using world = await StormWorld.create();
    const helper = await CredentialHelper.create(world.home.folder);
    const env = { PATH: helper.path, MCP_DRAWBRIDGE_KEYCHAIN: helper.backend };
    const run = (...argv: string[]) =>
      runProgram(argv, world.home.env({ PATH: helper.path }), '', world.program);
    const bridge = world.start({ env });
    expect(await bridge.call()).toMatchObject({ kind: 'served' });
    expect(await readSealing(world.credentials)).toMatchObject({
      marker: { state: 'on' },
      sealed: 1,
      plain: 0,
    });
    expect(await world.start({ env: { PATH: helper.path } }).call()).toMatchObject({ kind: 'served' });
    expect(world.browser.opened).toHaveLength(1);

    await helper.forget();
    const { url } = world.server;
    expect(await run('token', url)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('keychain on'),
    });
    expect(await run('logout', url)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing can open'),
    });
    expect((await run('keychain', 'on')).code).toBe(0);
    expect(await world.start({ env }).call()).toMatchObject({ kind: 'served' });
    expect(world.browser.opened).toHaveLength(2);
  });

  test('imports a login from the environment as soon as the keychain is open', async () => {
    await using world = await StormWorld.create();
    const helper = await CredentialHelper.create(world.home.folder);
    const env = world.home.env({ PATH: helper.path });
    const { url } = world.server;
    await world.signIn();
    const exported = (await runProgram(['tokens', 'export', url], env, '', world.program)).stdout;
    await rm(join(world.credentials, `${world.key()}.json`));
    await helper.lock();
    const bridge = world.start({
      env: {
        PATH: helper.path,
        MCP_DRAWBRIDGE_KEYCHAIN: helper.backend,
        MCP_DRAWBRIDGE_CREDENTIALS: exported,
      },
    });
    expect(await bridge.call()).toMatchObject({ kind: 'failed', why: expect.stringContaining('locked') });
    await helper.unlock();
    await expect.poll(async () => (await bridge.call()).kind, { timeout: 30_000 }).toBe('served');
    expect(world.browser.opened).toHaveLength(0);
    expect(await readSealing(world.credentials)).toMatchObject({ sealed: 1, plain: 0 });
  });
});

/** Each, where EVERY_STEP is set; else so many of them, spread over the whole. */
const SAMPLE = 5;
const KEYS = ['a', 'b'].map((letter) => letter.repeat(64));

describe.skipIf(!isPosix())('killed at any step', () => {
  test.each(['on', 'off'] as const)(
    'during keychain %s: every login can be read, and the next run completes it',
    async (action) => {
      await using home = await TemporaryHome.create();
      const helper = await CredentialHelper.create(home.folder);
      const plans = await KillPlans.create(home.folder);
      const folder = join(home.state, 'credentials');
      const seed = join(home.folder, 'seed');
      const CANARY = wholeRecord.tokens?.refreshToken ?? '';
      const run = (argv: readonly string[], preload?: string) =>
        runProgram(
          ['keychain', ...argv],
          home.env({
            PATH: helper.path,
            ...(preload === undefined ? {} : { NODE_OPTIONS: `--require ${preload}` }),
          }),
        );
      const words = action === 'on' ? ['on', '--backend', helper.backend] : ['off'];
      const reset = async () => {
        await rm(folder, { recursive: true, force: true });
        await cp(seed, folder, { recursive: true });
      };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const key of KEYS)
        await writeFile(join(folder, `${key}.json`), serializeRecord(wholeRecord), { mode: 0o600 });
      await writeFile(join(folder, `${KEYS[0]}.corrupt-0123456789ab`), `{"${CANARY}`, { mode: 0o600 });
      if (action === 'on') await cp(folder, seed, { recursive: true });

      const prepare = async () => {
        // The key is erased at the end of `off`, so each run has its own.
        if (action === 'on') return reset();
        expect((await run(['on', '--backend', helper.backend])).code).toBe(0);
      };
      await prepare();
      const counted = await plans.add({ role: 'bridge', folder, at: 0 });
      expect((await run(words, counted.preload)).code).toBe(0);
      const total = (await counted.said()).calls.length;
      expect(total).toBeGreaterThan(30);
      const step = process.env.EVERY_STEP === undefined ? Math.ceil(total / SAMPLE) : 1;
      for (let at = 1; at <= total; at += step) {
        await prepare();
        const plan = await plans.add({ role: 'bridge', folder, at });
        await run(words, plan.preload);
        const killed = (await plan.said()).killed;
        expect({ at, killed: killed !== undefined }).toEqual({ at, killed: true });
        const store = await openStore({ home: home.state, logger: silentLogger, openKeychain: helper.open });
        for (const key of KEYS) {
          expect({ at, killed, found: await store.read(key) }).toMatchObject({
            found: { record: wholeRecord },
          });
        }
        const end = await run(words);
        expect({ at, ...end }).toMatchObject({ code: 0 });
        const { sealed, plain, marker } = await readSealing(folder);
        const wanted =
          action === 'on' ? { sealed: 3, plain: 0, state: 'on' } : { sealed: 0, plain: 3, state: undefined };
        expect({ at, sealed, plain, state: marker?.state }).toEqual({ at, ...wanted });
        if (action === 'on') expect(await bytesIn(folder)).not.toContain(CANARY);
      }
    },
  );
});
