import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../peers/hosts/command.ts';
import { processesDuring } from '../../peers/processes/processes.ts';
import { hasRedis } from '../../peers/processes/tools.ts';
import { accessRules, RedisServer } from '../../peers/redis/redis-server.ts';
import { createProgramWorld, type ProgramWorld } from '../../peers/worlds/program-world.ts';

const PASSWORD = 'store-password-canary';
const user = { name: 'store', password: PASSWORD, rules: accessRules('mcp-drawbridge') };

/** Address and key in files, as a person keeps them out of arguments and environments. */
async function storeFlags(world: ProgramWorld, url: string, key: string): Promise<string[]> {
  const [address, keys] = [join(world.home.folder, 'store-url'), join(world.home.folder, 'store-key')];
  await writeFile(address, `${url}\n`, { mode: 0o600 });
  await writeFile(keys, `${key}\n`, { mode: 0o600 });
  return ['--store-file', address, '--store-key-file', keys];
}

/** The files of the built program that a run of it has loaded, by the coverage that Node writes at its end. */
async function loadedBy(world: ProgramWorld, argv: readonly string[]): Promise<string> {
  const folder = join(world.home.folder, `coverage-${randomBytes(4).toString('hex')}`);
  await runProgram(argv, world.home.env({ NODE_V8_COVERAGE: folder }));
  const files = await readdir(folder);
  const reports = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return reports
    .flatMap((report) => (JSON.parse(report) as { result: readonly { url: string }[] }).result)
    .map(({ url }) => url)
    .filter((url) => url.includes('/dist/'))
    .join('\n');
}

describe.skipIf(!hasRedis())('a store on Redis', () => {
  test('sends its password and key from their files only to the engine, and prints neither', async () => {
    await using server = await RedisServer.start({ user });
    await using world = await createProgramWorld('follow');
    const key = randomBytes(32).toString('base64');
    const flags = await storeFlags(world, server.url, key);
    const env = world.home.env({ BROWSER: world.browser.command, DEBUG: '*' });
    const run = async () => {
      const login = await runProgram(['login', world.server.url, '--debug', ...flags], env);
      const host = world.start({ args: ['--debug', ...flags], env: { DEBUG: '*' } });
      await host.initialize();
      const { result } = await host.request('tools/call', { name: 'echo', arguments: {} });
      await server.call('CONFIG', 'SET', 'requirepass', 'another');
      await server.call('ACL', 'SETUSER', user.name, 'resetpass', '>another-password');
      await server.call('CLIENT', 'KILL', 'USER', user.name);
      const refused = await runProgram(['status', ...flags], env);
      return { login, result, refused, stderr: host.stderr };
    };
    const work = run();
    const seen = await processesDuring(world.home.folder, work);
    const { login, result, refused, stderr } = await work;
    expect(login.code, login.stderr).toBe(0);
    expect(result).toBeDefined();
    expect(seen.length).toBeGreaterThan(1);
    expect(refused.stdout + refused.stderr).toContain('WRONGPASS');
    const said = [login.stdout, login.stderr, stderr, refused.stdout, refused.stderr];
    const secrets = [PASSWORD, key, Buffer.from(key, 'base64').toString('hex')];
    for (const text of [...said, ...seen.flatMap(({ argv, environment }) => [argv, environment])]) {
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    }
    // DEBUG=* is how the client library would print its commands.
    expect(said.join()).not.toContain('ioredis');
  });

  test('is asked for the login before the host has said anything', async () => {
    await using server = await RedisServer.start({ user });
    await using world = await createProgramWorld('follow');
    world.start({ args: await storeFlags(world, server.url, randomBytes(32).toString('base64')) });
    await expect
      .poll(async () => String(await server.call('INFO', 'commandstats')), { timeout: 20_000 })
      .toMatch(/cmdstat_eval:calls=1\b/);
  });

  test('the client library is loaded only with such a store', async () => {
    await using server = await RedisServer.start({ user });
    await using world = await createProgramWorld('follow');
    const flags = await storeFlags(world, server.url, randomBytes(32).toString('base64'));
    const loaded = await loadedBy(world, ['status', ...flags]);
    expect(loaded).toContain('open-on-engine');
    // Its files are read beside the main one, which needs their names.
    const launch = await readFile(new URL('../../../dist/launch.cjs', import.meta.url), 'utf8');
    const named = JSON.parse(/storeFiles = (.*);/.exec(launch)?.[1] ?? '[]') as string[];
    expect(named.length).toBeGreaterThan(1);
    expect(named.filter((name) => !loaded.includes(name))).toEqual([]);
    expect(await loadedBy(world, ['status'])).not.toMatch(/engine|redis/);
    expect(await loadedBy(world, ['status', '--store', 'memory'])).not.toMatch(/engine|redis/);
  });
});
