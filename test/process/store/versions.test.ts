import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { StormWorld } from '../../storm/world.ts';

/** The built program as another installation has it, of another version; its entry. */
async function installation(folder: string, version: string): Promise<string> {
  await cp(dirname(PROGRAM), folder, { recursive: true });
  const { version: here } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    const changed = text.replaceAll(/(["'`])(\d+\.\d+\.\d+)\1/g, (whole, quote, found) =>
      found === here ? `${quote}${version}${quote}` : whole,
    );
    if (changed !== text) await writeFile(file, changed);
  }
  return join(folder, 'launch.cjs');
}

test('two versions on one store share a login: one refresh per lapse, whichever has written the record', async () => {
  await using world = await StormWorld.create();
  const program = await installation(join(world.home.folder, 'older'), '0.0.1');
  expect((await runProgram(['--version'], world.home.env(), '', program)).stdout).toBe('0.0.1\n');
  const login = await world.signIn();
  const path = join(world.credentials, `${world.key()}.json`);
  // What a version to come may add without a new number: who does not know it can do without.
  const foreign = { ...login, addedLater: { secret: 'x' }, tokens: { ...login.tokens, addedLater: true } };
  await writeFile(path, JSON.stringify(foreign));
  const instances = [world.start(), world.start({ program }), world.start(), world.start({ program })];
  for (const lapse of [1, 2]) {
    world.authority.tokens.revokeAll();
    const ends = await Promise.all(instances.map((one) => one.call()));
    expect(ends.map(({ kind }) => kind)).toEqual(Array(4).fill('served'));
    expect(world.authority.counters).toMatchObject({ refreshPosts: lapse, replays: 0, codeExchanges: 1 });
  }
  expect(await world.corruptRecords()).toBe(0);
  expect(world.browser.opened).toHaveLength(0);
});

test('a record that only a later version can read stays byte for byte, and blocks nothing', async () => {
  await using world = await StormWorld.create();
  const { url } = world.server;
  const path = join(world.credentials, `${world.key()}.json`);
  const later = JSON.stringify({ version: 2, server: url, vault: 'secret-canary' });
  await world.signIn('other');
  await writeFile(path, later, { mode: 0o600 });
  const env = world.home.env({ BROWSER: world.browser.command });
  const run = (...argv: string[]) => runProgram(argv, env);

  const bridge = world.start();
  expect(await bridge.call()).toMatchObject({
    kind: 'failed',
    why: expect.stringContaining('later version'),
  });
  const ends = await Promise.all([run('token', url), run('login', url, '--force'), run('logout', url)]);
  for (const { code, stdout, stderr } of ends) {
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('later version');
  }
  const shown = await run('status', '--json');
  const states = (JSON.parse(shown.stdout) as { state: string }[]).map(({ state }) => state);
  expect(states.sort()).toEqual(['of a later version', 'signed in']);
  expect((await run('token', url, '--profile', 'other')).code).toBe(0);
  const out = await run('logout', '--all');
  expect(out.code).toBe(1);
  expect(out.stderr).toContain(`Signed out of "${url}"`);
  expect(await readFile(path, 'utf8')).toBe(later);
  expect(world.browser.opened).toHaveLength(0);
  expect(bridge.host.stderr + shown.stdout + out.stderr).not.toContain('secret-canary');
});
