import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { DesktopKeyring } from '../../peers/keychains/desktop-keyring.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { hasDesktopKeyring, hasVirtualDesktop } from '../../peers/processes/tools.ts';

/** Puts the session's folder in the place of /run/user/UID, which nobody else sees, and goes on as this user. */
const SCRIPT = `
set -e
mount -t tmpfs tmpfs /run/user
mkdir "/run/user/$2"
mount --bind "$1" "/run/user/$2"
exec unshare -U --map-user="$2" --map-group="$3" -- "$4" "$5" "\${@:6}"`;

async function run(desktop: DesktopKeyring, ...argv: readonly string[]) {
  const ids = [process.getuid?.() ?? 0, process.getgid?.() ?? 0].map(String);
  const words = [desktop.runtimeFolder, ...ids, process.execPath, PROGRAM, ...argv];
  const child = spawn('/usr/bin/unshare', ['-rm', '/bin/bash', '-c', SCRIPT, 'bash', ...words], {
    // What a host passes on that strips the environment.
    env: { HOME: desktop.home.folder, PATH: '/usr/bin:/bin', MCP_DRAWBRIDGE_HOME: desktop.home.state },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...texts };
}

describe.skipIf(!hasDesktopKeyring())('logins under a key in the keyring of a desktop', () => {
  it.skipIf(!hasVirtualDesktop())(
    'are opened by a program whose host has stripped its environment',
    async () => {
      await using desktop = await DesktopKeyring.start();
      await desktop.startKeyring('unlocked');
      const folder = join(desktop.home.state, 'credentials');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const login = join(folder, `${'a'.repeat(64)}.json`);
      await writeFile(login, serializeRecord(wholeRecord), { mode: 0o600 });

      expect(await run(desktop, 'keychain', 'on')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('are sealed'),
      });
      expect(await readFile(login, 'latin1')).not.toContain('refresh-token-canary');
      expect(await run(desktop, 'keychain', 'status')).toMatchObject({ code: 0 });

      await desktop.startKeyring('locked');
      const locked = await run(desktop, 'keychain', 'off');
      expect(locked).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the keychain of the desktop is locked'),
      });
      expect(locked.stderr).toContain('Unlock it');
      expect(await readFile(login, 'latin1')).not.toContain('refresh-token-canary');

      await desktop.startKeyring('unlocked');
      expect(await run(desktop, 'keychain', 'off')).toMatchObject({ code: 0 });
      expect(await readFile(login, 'utf8')).toContain('refresh-token-canary');
    },
  );
});
