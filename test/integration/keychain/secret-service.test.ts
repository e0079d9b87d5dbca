import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openKeychain } from '../../../src/keychain/open-keychain.ts';
import { TOOL_LIMIT_MS } from '../../../src/keychain/tool.ts';
import { findSessionBus } from '../../../src/platform/desktop/session-bus.ts';
import { DesktopKeyring } from '../../peers/keychains/desktop-keyring.ts';
import { isExposed, type PortsOptions, seenPorts } from '../../peers/keychains/keychain-ports.ts';
import { processesOf } from '../../peers/processes/processes.ts';
import { hasDesktopKeyring } from '../../peers/processes/tools.ts';

const SECRET = 'q2nZpT0bXfYh3mVw8sKdJ5uRc7LgAe1oNi6xBtPyQzE';

function open(env: Readonly<Record<string, string>>, options?: PortsOptions) {
  const { ports, requests } = seenPorts(env, options);
  return { keychain: openKeychain('system', ports), requests };
}

describe.skipIf(!hasDesktopKeyring())('the keychain of a desktop', () => {
  it('stores, returns and erases a secret, and shows it to no other process', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    const { keychain, requests } = open(desktop.env());
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    expect(await keychain.read('other')).toEqual({ kind: 'not-found' });
    expect(await keychain.write('a1b2c3d4', `${SECRET}2`)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: `${SECRET}2` });
    expect(isExposed(SECRET, requests)).toBe(false);
    await desktop.startKeyring('unlocked');
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: `${SECRET}2` });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
  });

  it.each([
    ['busctl', { gdbus: undefined }],
    ['gdbus', { busctl: undefined }],
  ])(
    'tells locked from not found by %s, opens no password prompt, and its suggested command works',
    async (_, programs) => {
      await using desktop = await DesktopKeyring.start();
      await desktop.startKeyring('unlocked');
      const { keychain, requests } = open(desktop.env(), { programs });
      expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
      expect(await keychain.read('other')).toEqual({ kind: 'not-found' });
      await desktop.startKeyring('locked');
      requests.length = 0;
      const answer = await keychain.read('a1b2c3d4');
      expect(answer).toMatchObject({ kind: 'locked', text: 'the keychain of the desktop is locked' });
      expect(await keychain.read('other')).toMatchObject({ kind: 'locked' });
      expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject({ kind: 'locked' });
      expect(await keychain.erase('a1b2c3d4')).toMatchObject({ kind: 'locked' });
      // secret-tool would have asked.
      expect(requests.filter(({ command }) => command.endsWith('secret-tool'))).toEqual([]);
      const [, unlock] =
        /`(\([^`]*gnome-keyring-daemon[^`]*)`/.exec('wayOut' in answer ? answer.wayOut : '') ?? [];
      const env = desktop.env();
      spawnSync('/bin/sh', ['-c', unlock ?? ''], { env, input: `${desktop.password}\n`, timeout: 30_000 });
      await desktop.ready();
      expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    },
  );

  it('says that the state is unknown without busctl and gdbus', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    const { keychain } = open(desktop.env(), { programs: { busctl: undefined, gdbus: undefined } });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'failed',
      text: expect.stringContaining('cannot be told'),
      wayOut: expect.stringContaining('libglib2.0-bin'),
    });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    await desktop.startKeyring('locked');
    expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject({ kind: 'locked' });
  });

  it.each([
    ['busctl', { gdbus: undefined }],
    ['gdbus', { busctl: undefined }],
    ['secret-tool', { busctl: undefined, gdbus: undefined }],
  ])('says that no service stores secrets, by %s', async (_, programs) => {
    await using desktop = await DesktopKeyring.start();
    const { keychain } = open(desktop.env(), { programs });
    const expected = { kind: 'absent', wayOut: expect.stringContaining('gnome-keyring') };
    expect(await keychain.read('a1b2c3d4')).toMatchObject(expected);
    expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject(expected);
  });

  it.each([
    ['busctl', { gdbus: undefined }],
    ['gdbus', { busctl: undefined }],
    ['secret-tool', { busctl: undefined, gdbus: undefined }],
  ])('says that there is no D-Bus at the address, by %s', async (_, programs) => {
    await using desktop = await DesktopKeyring.start();
    const env = { ...desktop.env(), DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
    const { keychain } = open(env, { programs });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({ kind: 'no-bus' });
  });

  it('says that there is no D-Bus, and starts none on the display', async () => {
    await using desktop = await DesktopKeyring.start();
    const { HOME = '', PATH = '' } = desktop.env();
    const places = { user: process.getuid?.() ?? 0, runtimeFolder: join(HOME, 'no-such-folder') };
    const env = { HOME, PATH, DISPLAY: ':99' };
    const { keychain, requests } = open(env, { findBus: () => findSessionBus(env, places) });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'no-bus',
      wayOut: expect.stringContaining('systemctl --user start dbus.socket'),
    });
    expect(requests).toEqual([]);
  });

  it('finds the D-Bus where a host has stripped the environment', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    const { HOME = '', PATH = '' } = desktop.env();
    const { runtimeFolder } = desktop;
    const places = { user: process.getuid?.() ?? 0, runtimeFolder };
    const env = { HOME, PATH };
    const { keychain } = open(env, { findBus: () => findSessionBus(env, places) });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    expect(
      await findSessionBus({ XDG_RUNTIME_DIR: runtimeFolder }, { ...places, runtimeFolder: '/nonexistent' }),
    ).toBe(`unix:path=${runtimeFolder}/bus`);
    // Another user's socket is none.
    expect(await findSessionBus(env, { ...places, user: places.user + 1 })).toBeUndefined();
    await chmod(runtimeFolder, 0o777);
    expect(await findSessionBus(env, places)).toBeUndefined();
  });

  it('names the package of secret-tool if it is missing', async () => {
    await using desktop = await DesktopKeyring.start();
    const { keychain } = open(desktop.env(), { programs: { 'secret-tool': undefined } });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({
      kind: 'absent',
      text: 'secret-tool is not installed',
      wayOut: expect.stringContaining('apt install libsecret-tools'),
    });
  });

  it('gives up after two seconds on a keychain that does not answer, and leaves no process', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    desktop.suspendKeyring();
    const { keychain } = open(desktop.env(), { limitMs: TOOL_LIMIT_MS });
    expect(await keychain.read('a1b2c3d4')).toMatchObject({ kind: 'timed-out' });
    // It was killed, and is there until the system has ended it.
    const left = async () =>
      (await processesOf(desktop.home.folder)).filter(({ argv }) => /busctl|secret-tool|gdbus/.test(argv));
    await expect.poll(left).toEqual([]);
  });

  it('detects a truncated secret', async () => {
    await using desktop = await DesktopKeyring.start();
    await desktop.startKeyring('unlocked');
    const cutting = join(desktop.home.folder, 'secret-tool');
    await writeFile(
      cutting,
      '#!/bin/sh\n[ "$1" = store ] || exec secret-tool "$@"\nhead -c 10 | secret-tool "$@"\n',
    );
    await chmod(cutting, 0o755);
    const { keychain } = open(desktop.env(), { programs: { 'secret-tool': cutting } });
    expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject({
      kind: 'failed',
      text: 'the Secret Service has accepted the secret, and gives back something else',
    });
  });

  it('passes on nothing that a command or a message would interpret', async () => {
    await using desktop = await DesktopKeyring.start();
    const { keychain, requests } = open(desktop.env());
    for (const account of ['', '-x', "a'b", 'a"b', 'a b', 'a\n', '../a', 'a/b', 'a'.repeat(65)]) {
      expect(await keychain.read(account)).toMatchObject({ kind: 'failed' });
      expect(await keychain.write(account, SECRET)).toMatchObject({ kind: 'failed' });
      expect(await keychain.erase(account)).toMatchObject({ kind: 'failed' });
    }
    for (const secret of ['', 'a b', 'a\nadd-generic-password', '"', 'ä', 'a'.repeat(1_025)])
      expect(await keychain.write('a1b2c3d4', secret)).toMatchObject({ kind: 'failed' });
    expect(requests).toEqual([]);
  });
});
