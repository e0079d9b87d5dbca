import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { StormWorld } from '../../storm/world.ts';

const KEY = 'gateway-key-canary';

/** Argument lists of all processes of this home. */
async function argumentsOf(world: StormWorld): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string, name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const all = await Promise.all(
    pids.map(async (pid) => [await read(pid, 'environ'), await read(pid, 'cmdline')]),
  );
  return all.flatMap(([environ, cmdline]) =>
    environ?.includes(`HOME=${world.home.folder}`) && cmdline ? [cmdline] : [],
  );
}

test('a gateway that requires a header gets it for the metadata too, and no other origin does (SECURITY.md, attack 14)', async () => {
  await using world = await StormWorld.create({ consent: 'wait' });
  const { server, authority, browser, home } = world;
  server.fail({ kind: 'answer', status: 403 }, ({ headers }) => headers['x-gateway'] !== KEY);
  const args = ['--header', `X-Gateway: \${GATEWAY_KEY}`, '--debug'];
  const env = { GATEWAY_KEY: KEY };
  const bridge = world.start({ args, env });
  const call = bridge.call();
  await authority.consent.asked.waitFor(() => true);
  const seen = await argumentsOf(world);
  expect(seen.some((cmdline) => cmdline.includes('__sign-in'))).toBe(true);
  authority.consent.allow();
  expect(await call).toMatchObject({ kind: 'served' });
  const login = ['login', server.url, '--profile', 'work', ...args];
  authority.consent.mode = 'auto';
  expect(await runProgram(login, home.env({ BROWSER: browser.command, ...env }))).toMatchObject({ code: 0 });

  const metadata = server.requests.entries.filter(({ path }) => path.startsWith('/.well-known/'));
  expect(metadata.length).toBeGreaterThanOrEqual(2);
  for (const { headers } of metadata) expect(headers['x-gateway']).toBe(KEY);
  expect(JSON.stringify(authority.requests.entries)).not.toContain(KEY);
  const logs = join(home.state, 'logs');
  const files = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), 'utf8')));
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const text of [...seen, ...files, bridge.host.stderr, JSON.stringify(browser.opened)])
    expect(text).not.toContain(KEY);
});

test('the check for an issuer change goes through the same gateway, with the required header', async () => {
  await using world = await StormWorld.create();
  const { server, authority } = world;
  await using successor = await startAuthorizationServer({});
  await world.signIn();
  const isWellKnown = ({ path }: { path: string }) => path.startsWith('/.well-known/');
  server.fail({ kind: 'answer', status: 403 }, ({ headers }) => headers['x-gateway'] !== KEY);
  const body = JSON.stringify({ resource: server.url, authorization_servers: [successor.issuer] });
  const json = { 'content-type': 'application/json' };
  server.fail({ kind: 'answer', status: 200, headers: json, body }, isWellKnown);
  server.fail({ kind: 'answer', status: 401, headers: { 'www-authenticate': 'Bearer' } }, () => true);
  const before = server.requests.entries.length;
  const bridge = world.start({ args: ['--header', `X-Gateway: ${KEY}`] });
  void bridge.call();
  await successor.requests.waitFor(() => true, { what: 'the new issuer to be asked' });
  const looks = server.requests.entries.slice(before).filter(isWellKnown);
  expect(looks.length).toBeGreaterThanOrEqual(1);
  for (const { headers } of looks) expect(headers['x-gateway']).toBe(KEY);
  for (const party of [authority, successor])
    expect(JSON.stringify(party.requests.entries)).not.toContain(KEY);
});
