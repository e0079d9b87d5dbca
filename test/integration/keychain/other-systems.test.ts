import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openKeychain } from '../../../src/keychain/open-keychain.ts';
import { powershellScript, securityScript } from '../../peers/keychains/contract-scripts.ts';
import { isExposed, seenPorts } from '../../peers/keychains/keychain-ports.ts';
import { createTemporaryHome } from '../../peers/processes/home.ts';
import { isPosix } from '../../peers/processes/tools.ts';

const SECRET = 'q2nZpT0bXfYh3mVw8sKdJ5uRc7LgAe1oNi6xBtPyQzE';

describe.skipIf(!isPosix())("macOS, by the contract of Apple's security", () => {
  async function open(home: string) {
    const security = await securityScript(home);
    const state = join(home, 'items.json');
    const { ports, requests } = seenPorts(
      { PATH: '/usr/bin', HOME: home },
      { platform: 'darwin', programs: { '/usr/bin/security': security } },
    );
    // The script's own; the real one has no such variable.
    const run: typeof ports.run = (request) =>
      ports.run({ ...request, env: { ...request.env, STATE: state } });
    return { keychain: openKeychain('system', { ...ports, run }), requests, state };
  }

  it('stores, returns and erases a secret, and shows it to no other process', async () => {
    await using home = await createTemporaryHome();
    const { keychain, requests, state } = await open(home.folder);
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await keychain.write('a1b2c3d4', `${SECRET}==`)).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: `${SECRET}==` });
    expect(JSON.parse(await readFile(state, 'utf8'))).toEqual({ 'mcp-drawbridge a1b2c3d4': `${SECRET}==` });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(isExposed(SECRET, requests)).toBe(false);
  });

  it('says that it is locked, and how to unlock it', async () => {
    await using home = await createTemporaryHome();
    const { keychain, state } = await open(home.folder);
    await keychain.write('a1b2c3d4', SECRET);
    await writeFile(`${state}.locked`, '');
    const expected = { kind: 'locked', wayOut: expect.stringContaining('security unlock-keychain') };
    expect(await keychain.read('a1b2c3d4')).toMatchObject(expected);
    expect(await keychain.write('a1b2c3d4', SECRET)).toMatchObject(expected);
    expect(await keychain.erase('a1b2c3d4')).toMatchObject(expected);
    await rm(`${state}.locked`);
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
  });

  it('runs no program but that of macOS', async () => {
    await using home = await createTemporaryHome();
    await securityScript(home.folder);
    const { ports } = seenPorts(
      { PATH: home.folder },
      { platform: 'darwin', programs: { '/usr/bin/security': '/nonexistent/security' } },
    );
    expect(await openKeychain('system', ports).read('a1b2c3d4')).toMatchObject({ kind: 'absent' });
  });
});

describe.skipIf(!isPosix())('Windows, by the contract of PowerShell and DPAPI', () => {
  const COMMAND = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';

  async function open(home: string, variables: Readonly<Record<string, string>>) {
    const powershell = await powershellScript(home);
    const { ports, requests } = seenPorts(
      { PATH: 'C:\\Windows', USERNAME: 'someone', ...variables },
      { platform: 'win32', programs: { [COMMAND]: powershell } },
    );
    return { ports, keychain: openKeychain('system', ports), requests };
  }

  it.each([
    ['of its variable', { SystemRoot: 'C:\\Windows\\' }],
    ['that is usual', { SystemRoot: '\\\\server\\share' }],
  ])('stores a secret in a file, with the PowerShell of the Windows folder %s', async (_, variables) => {
    await using home = await createTemporaryHome();
    const { keychain, requests, ports } = await open(home.folder, variables);
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'not-found' });
    expect(requests).toEqual([]);
    expect(await keychain.write('a1b2c3d4', SECRET)).toEqual({ kind: 'done' });
    expect(await ports.keyFile.read('a1b2c3d4')).not.toContain(SECRET);
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'found', secret: SECRET });
    expect(isExposed(SECRET, requests)).toBe(false);
    expect(await keychain.erase('a1b2c3d4')).toEqual({ kind: 'done' });
    expect(await keychain.read('a1b2c3d4')).toEqual({ kind: 'not-found' });
  });

  it("opens neither another user's file nor one under another name, and says so", async () => {
    await using home = await createTemporaryHome();
    const { keychain, ports } = await open(home.folder, {});
    await keychain.write('a1b2c3d4', SECRET);
    const text = (await ports.keyFile.read('a1b2c3d4')) ?? '';
    await ports.keyFile.write('other', text);
    expect(await keychain.read('other')).toMatchObject({
      kind: 'failed',
      text: expect.stringContaining('Key not valid for use in specified state'),
    });
    const another = openKeychain('system', { ...ports, env: { ...ports.env, USERNAME: 'another' } });
    expect(await another.read('a1b2c3d4')).toMatchObject({
      kind: 'failed',
      wayOut: expect.stringContaining('the Windows user that has written it'),
    });
  });

  it('reports missing PowerShell, as under Wine', async () => {
    const { ports } = seenPorts(
      {},
      { platform: 'win32', programs: { [COMMAND]: '/nonexistent/powershell' } },
    );
    expect(await openKeychain('system', ports).write('a1b2c3d4', SECRET)).toMatchObject({
      kind: 'absent',
      text: 'Windows PowerShell is not installed',
    });
  });
});
