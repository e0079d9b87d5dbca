import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openKeychain } from '../../../src/keychain/open-keychain.ts';
import { TOOL_LIMIT_MS } from '../../../src/keychain/tool.ts';
import type { KeychainKind } from '../../../src/protocol/keychain-kind.ts';
import { DesktopKeyring } from '../../peers/keychains/desktop-keyring.ts';
import { isExposed, type PortsOptions, seenPorts } from '../../peers/keychains/keychain-ports.ts';
import { PassStore } from '../../peers/keychains/pass-store.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { sleepersOf } from '../../peers/processes/processes.ts';
import { hasDesktopKeyring, hasPass, isPosix } from '../../peers/processes/tools.ts';

const SECRET = 'q2nZpT0bXfYh3mVw8sKdJ5uRc7LgAe1oNi6xBtPyQzE';

function open(kind: KeychainKind, env: Readonly<Record<string, string>>, options?: PortsOptions) {
  const { ports, requests } = seenPorts(env, options);
  return { keychain: openKeychain(kind, ports), requests };
}

describe.skipIf(!hasPass())('pass', () => {
  it('stores, returns and erases a secret, and shows it to no other process', async () => {
    await using store = await PassStore.create();
    store.initialize();
    const { keychain, requests } = open('helper:pass', store.env());
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.write('a1b2c3d4', `${SECRET}2`)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: `${SECRET}2` });
    expect(await keychain.read('other')).toEqual({ kind: 'not-found' });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(isExposed(SECRET, requests)).toBe(false);
  });

  it('is locked until its owner enters the passphrase, and says which command helps', async () => {
    await using store = await PassStore.create();
    store.initialize('the passphrase');
    const { keychain } = open('helper:pass', store.env());
    // Writing takes the public key alone; what was written cannot be read back.
    store.lock();
    const outcome = await keychain.write('a1b2c3d4', SECRET);
    expect(outcome).toMatchObject({ kind: 'locked' });
    const answer = await keychain.read('a1b2c3d4');
    expect(answer).toMatchObject({ kind: 'locked', text: expect.stringContaining('decryption failed') });
    const [, name = ''] =
      /`pass show (\S+) >\/dev\/null`/.exec('wayOut' in answer ? answer.wayOut : '') ?? [];
    expect(await store.entries()).toEqual([`${name}.gpg`]);
  });

  it('is absent if it was not set up or is not installed', async () => {
    await using store = await PassStore.create();
    const { keychain } = open('helper:pass', store.env());
    const unset = { kind: 'absent', wayOut: expect.stringContaining('pass init') };
    expect(await keychain.read('a1b2c3d4')).toMatchObject(unset);
    expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject(unset);
    const without = open('helper:pass', store.env(), { programs: { pass: undefined } });
    expect(await without.keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'absent',
      text: 'pass is not installed',
    });
    const missing = open('helper:pass', store.env(), { programs: { 'docker-credential-pass': undefined } });
    const absent = { kind: 'absent', text: 'docker-credential-pass is not installed' };
    expect(await missing.keychain.read('a1b2c3d4')).toMatchObject(absent);
    expect(await missing.keychain.write('a1b2c3d4', SECRET)).toMatchObject(absent);
    expect(await missing.keychain.erase('a1b2c3d4')).toMatchObject(absent);
  });
});

describe.skipIf(!hasDesktopKeyring())('the Secret Service by docker-credential-secretservice', () => {
  it.skipIf(!hasPass())('is reported as locked, which that program takes for empty', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    const { keychain } = open('helper:secretservice', desktop.env());
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    await desktop.startKeyring('locked');
    expect(await keychain.read('a1b2c3d4')).toMatchObject({ kind: 'locked' });
    expect(await keychain.write('other', SECRET)).toMatchObject({ kind: 'locked' });
    await desktop.endKeyring();
    expect(await keychain.read('a1b2c3d4')).toMatchObject({ kind: 'absent' });
    const elsewhere = { ...desktop.env(), DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
    expect(await open('helper:secretservice', elsewhere).keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'no-bus',
    });
  });
});

/** A program of that name with this text, alone in a folder. */
async function helper(folder: string, script: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'docker-credential-odd');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return folder;
}

describe.skipIf(!isPosix())('an odd helper', () => {
  it.each([
    ['no JSON', `echo ${SECRET}`, 'failed'],
    ['another type', `echo '{"Username":"a1b2c3d4","Secret":["${SECRET}"]}'`, 'failed'],
    ['a list', 'echo []', 'failed'],
    ['nothing', 'true', 'failed'],
    ['what is similar', `echo '{"Username":"other","Secret":"${SECRET}"}'`, 'not-found'],
    ['empty texts', `echo '{"Username":"","Secret":""}'`, 'not-found'],
    ['that it is locked', 'echo "the vault is locked" >&2; exit 1', 'locked'],
    ['too much', 'yes', 'failed'],
    ['a signal', 'kill -9 $$', 'failed'],
  ])('that answers with %s', async (_, script, kind) => {
    await using home = await createTemporaryHome();
    const PATH = await helper(join(home.folder, 'bin'), script);
    const { keychain } = open('helper:odd', home.env({ PATH }));
    const answer = await keychain.read('a1b2c3d4');
    expect(answer).toMatchObject({ kind });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
  });

  it('that hangs is ended after two seconds with its children', async () => {
    await using home = await createTemporaryHome();
    const PATH = await helper(join(home.folder, 'bin'), 'sleep 600 & sleep 600');
    const { keychain } = open('helper:odd', home.env({ PATH }), { limitMs: TOOL_LIMIT_MS });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'timed-out',
      text: 'docker-credential-odd did not answer within 2 seconds; it may be waiting for a password',
    });
    await expect.poll(() => sleepersOf(home.folder)).toEqual([]);
  });

  it('whose output holds the secret and control characters is quoted without them', async () => {
    await using home = await createTemporaryHome();
    const PATH = await helper(
      join(home.folder, 'bin'),
      'printf "\\033]0;title\\007 cannot keep "; cat; exit 1',
    );
    const { keychain } = open('helper:odd', home.env({ PATH }));
    const outcome = await keychain.write('a1b2c3d4', SECRET);
    expect(outcome).toMatchObject({
      kind: 'failed',
      text: expect.stringContaining('\\u{1b}]0;title\\u{7} cannot keep'),
    });
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
  });

  it('gets its own environment variables, and none of ours', async () => {
    await using home = await createTemporaryHome();
    const PATH = await helper(
      join(home.folder, 'bin'),
      `echo '{"Username":"a1b2c3d4","Secret":"'"$VAULT_ADDR/$MCP_DRAWBRIDGE_TOKEN/$GPG_TTY/"'"}'`,
    );
    const env = home.env({ PATH, VAULT_ADDR: 'vault', MCP_DRAWBRIDGE_TOKEN: 'token', GPG_TTY: '/dev/pts/0' });
    expect(await open('helper:odd', env).keychain.read('a1b2c3d4')).toEqual({
      kind: 'found',
      secret: 'vault///',
    });
  });

  it('is not taken from the current folder, a relative one or a project', async () => {
    await using home = await createTemporaryHome();
    const answer = `echo '{"Username":"a1b2c3d4","Secret":"${SECRET}"}'`;
    const project = await helper(join(home.folder, 'node_modules/.bin'), answer);
    const planted = relative(process.cwd(), await helper(join(home.folder, 'planted'), answer));
    for (const PATH of [planted, `./${planted}`, '', project, `${project}/`]) {
      const { keychain } = open('helper:odd', home.env({ PATH }));
      expect(await keychain.read('a1b2c3d4')).toMatchObject({ kind: 'absent' });
    }
  });
});
