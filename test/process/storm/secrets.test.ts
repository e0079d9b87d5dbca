import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faults } from '../../peers/faults/faults.ts';
import { processesOf } from '../../peers/processes/processes.ts';
import { StormWorld } from '../../storm/world.ts';

/** Everything secret that passed between the program and the authorization server, by where it may be seen. */
function secretsOf({ authority }: StormWorld) {
  const sent = authority.requests.entries.map(({ body }) => new URLSearchParams(body));
  const all = (name: string) => sent.flatMap((form) => form.getAll(name));
  const accessTokens = authority.tokens.all.map(({ token }) => token);
  const others = [...all('refresh_token'), ...all('code'), ...all('code_verifier')];
  return { accessTokens: [...new Set(accessTokens)], others: [...new Set(others)] };
}

/** Argument lists and environments of all processes of this home, as `ps` shows them. */
async function shownByPs(world: StormWorld): Promise<string[]> {
  const processes = await processesOf(world.home.folder);
  return processes.map(({ argv, environment }) => `${argv}\n${environment}`);
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => join(parentPath, name));
}

test.each([{ umask: '000' }, { umask: '022' }])(
  'sign-in, refresh, failed refresh and a killed one at debug level: no secret leaves its place, no file is open to others (umask $umask)',
  async ({ umask }) => {
    await using world = await StormWorld.create();
    const { authority, server, browser } = world;
    const preload = join(world.home.folder, 'umask.cjs');
    await writeFile(preload, `process.umask(0o${umask});\n`);
    const start = () => world.start({ args: ['--debug'], nodeArgs: ['--require', preload] });
    const instances = Array.from({ length: 3 }, start);
    const seen: string[] = [];
    const calls = instances.map((one) => one.call());
    await browser.waitForOpened(1);
    seen.push(...(await shownByPs(world)));
    for (const end of await Promise.all(calls)) expect(end.kind).toBe('served');
    authority.tokens.revokeAll();
    for (const end of await Promise.all(instances.map((one) => one.call()))) expect(end.kind).toBe('served');
    authority.failRefresh(faults.nonsense, 1);
    authority.tokens.revokeAll();
    for (const end of await Promise.all(instances.map((one) => one.call())))
      expect(end.kind).not.toBe('gone');
    seen.push(...(await shownByPs(world)));
    const plan = await world.plan(1);
    await world.start({ plan, args: ['--debug'] }).call();

    const { accessTokens, others } = secretsOf(world);
    expect(accessTokens.length).toBeGreaterThanOrEqual(2);
    expect(others.length).toBeGreaterThanOrEqual(4);
    const state = await filesUnder(world.home.state);
    const logs = state.filter((path) => path.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(0);
    expect(seen.length).toBeGreaterThan(3);
    const outputs = [
      ...instances.map(({ host }) => host.stderr),
      ...instances.map(({ host }) => host.lines.entries.map(({ text }) => text).join('\n')),
      ...(await Promise.all(logs.map((path) => readFile(path, 'utf8')))),
      ...seen,
      JSON.stringify(browser.opened),
    ];
    for (const secret of [...accessTokens, ...others]) {
      expect(secret.length).toBeGreaterThan(15);
      for (const output of outputs) expect(output.includes(secret), output.slice(0, 200)).toBe(false);
    }
    const atServer = JSON.stringify(server.requests.entries);
    for (const secret of others) expect(atServer).not.toContain(secret);
    const atAuthority = JSON.stringify(authority.requests.entries);
    for (const secret of accessTokens) expect(atAuthority).not.toContain(secret);
    for (const path of state) {
      const stats = await stat(path);
      expect(`${path} ${(stats.mode & 0o777).toString(8)}`).toBe(
        `${path} ${stats.isDirectory() ? '700' : '600'}`,
      );
    }
  },
);

describe('SECURITY.md, attacks 36, 38', () => {
  test('instances meet only through files: a bridge with a login opens no port, and connects only to its servers', async () => {
    await using world = await StormWorld.create();
    await world.signIn();
    const instances = [world.start(), world.start()];
    for (const end of await Promise.all(instances.map((one) => one.call()))) expect(end.kind).toBe('served');
    const ports = [world.server.url, world.authority.issuer].map((url) => Number(new URL(url).port));
    for (const { host } of instances) {
      for (const { state, remotePort } of await socketsOf(host.pid)) {
        expect(state).not.toBe('LISTEN');
        expect(ports).toContain(remotePort);
      }
    }
  });

  test.each([
    ['endless', Buffer.alloc(300 * 1024, 0x20)],
    ['deep', Buffer.from('['.repeat(200_000))],
    ['__proto__', Buffer.from('{"__proto__":{"version":1},"constructor":{"prototype":{"tokens":1}}}')],
    ['CR/LF in the token', Buffer.from('{"version":1,"tokens":{"accessToken":"a\\r\\nX-Injected: 1"}}')],
  ])('a hostile record (%s) is set aside; one sign-in for 3 instances', async (_, bytes) => {
    await using world = await StormWorld.create();
    await mkdir(world.credentials, { recursive: true });
    const file = join(world.credentials, `${world.key()}.json`);
    await writeFile(file, bytes);
    await chmod(file, 0o600);
    const instances = Array.from({ length: 3 }, () => world.start());
    for (const end of await Promise.all(instances.map((one) => one.call())))
      expect(end).toMatchObject({ kind: 'served' });
    expect(world.browser.opened).toHaveLength(1);
    expect(world.authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
    expect(await world.corruptRecords()).toBe(1);
  });
});

const STATES: Readonly<Record<string, string>> = { '0A': 'LISTEN' };

/** proc(5): the sockets of a process, by the inodes of its descriptors. */
async function socketsOf(pid: number) {
  const { readlink } = await import('node:fs/promises');
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => own.has(fields[9] ?? ''))
    .map((fields) => ({
      state: STATES[fields[3] ?? ''] ?? 'other',
      remotePort: Number.parseInt(fields[2]?.split(':')[1] ?? '', 16),
    }));
}
