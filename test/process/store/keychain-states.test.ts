import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../../peers/hosts/command.ts';
import { DesktopKeyring } from '../../peers/keychains/desktop-keyring.ts';
import { hasDesktopKeyring } from '../../peers/processes/tools.ts';

const ADDRESS = 'https://example.com/mcp';
const LOGIN = JSON.stringify({ server: ADDRESS, access_token: 'a-canary' });

describe.skipIf(!hasDesktopKeyring())("logins sealed under a key in the desktop's keychain", () => {
  test('are opened while it is unlocked; locked, no keychain and no bus each have their error', async () => {
    await using desktop = await DesktopKeyring.start();
    const path = process.env.PATH ?? '';
    const home = { MCP_DRAWBRIDGE_HOME: join(desktop.home.folder, 'state'), PATH: path, CI: '1' };
    const run = (...argv: string[]) => runProgram(argv, { ...desktop.env(), ...home }, LOGIN);
    await desktop.startKeyring('unlocked');
    expect(await run('keychain', 'on')).toMatchObject({ code: 0 });
    expect(await run('tokens', 'import')).toMatchObject({ code: 0 });
    expect(await run('token', ADDRESS)).toMatchObject({ code: 0, stdout: 'a-canary\n' });

    const problem = async () => {
      const { code, stdout } = await run('keychain', 'status', '--json');
      expect(code).toBe(1);
      expect(await run('token', ADDRESS)).toMatchObject({ code: 1, stdout: '' });
      return (JSON.parse(stdout) as { problem: unknown }).problem;
    };
    await desktop.startKeyring('locked');
    expect(await problem()).toMatchObject({ code: 'keychain_locked', wayOut: expect.any(String) });
    await desktop.endKeyring();
    expect(await problem()).toMatchObject({ code: 'keychain_absent', wayOut: expect.any(String) });
    const away = { MCP_DRAWBRIDGE_HOME: home.MCP_DRAWBRIDGE_HOME, PATH: path, HOME: desktop.home.folder };
    const end = await runProgram(['keychain', 'status', '--json'], {
      ...away,
      XDG_RUNTIME_DIR: '/nonexistent',
    });
    expect(JSON.parse(end.stdout)).toMatchObject({ problem: { code: 'keychain_no_bus' } });

    await desktop.startKeyring('unlocked');
    expect(await run('token', ADDRESS)).toMatchObject({ code: 0, stdout: 'a-canary\n' });
    expect(await run('keychain', 'off')).toMatchObject({ code: 0 });
  });
});
