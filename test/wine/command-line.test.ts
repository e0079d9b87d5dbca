import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { shellCommand } from '../../src/platform/program/shell-words.ts';
import { LoginWorld } from './login-world.ts';
import { windowsPath } from './wine.ts';
import { PATIENT, WineWorld } from './wine-world.ts';

it('the command in an error, typed into cmd unchanged, makes the missing login', async () => {
  await using world = await LoginWorld.create();
  const home = join(world.wine.folder, 'Anmeldungen & mehr');
  await mkdir(home, { mode: 0o700 });
  const args = [
    '--home',
    windowsPath(home),
    '--scope',
    'mcp:tools mcp:extra',
    '--profile',
    'work',
    '--non-interactive',
  ];
  const refused = world.start(args);
  await refused.initialize({}, PATIENT);
  const command = await vi.waitFor(() => {
    const found = /Run: (.* login .*)/.exec(refused.stderr)?.[1];
    if (found === undefined) throw new Error(`no command: ${refused.stderr}`);
    return found.trim();
  }, PATIENT.timeoutMs);
  // The path of Node has spaces: PowerShell would print a name in quotes, so it gets a form of its own.
  const [forCmd = '', forPowerShell] = command.split(' (in PowerShell: ');
  expect(forPowerShell).toMatch(/^& "/);
  const login = await world.wine.type(forCmd);
  expect(login.stderr).toContain('Signed in to');
  expect(login.code).toBe(0);
  expect(world.browser.opened).toHaveLength(1);
  const host = world.start(args);
  await host.initialize({}, PATIENT);
  await world.call(host, 'now');
  expect(world.authority.counters).toMatchObject({ registrations: 1, codeExchanges: 1 });
  const logout = await world.wine.type(forCmd.replace(' login ', ' logout '));
  expect(logout.stderr).toContain('Signed out of');
  expect(world.authority.counters.revocations).toBeGreaterThan(0);
});

it("cmd and npm's batch file pass on every word unchanged", async () => {
  await using world = await WineWorld.create();
  const script = join(world.folder, 'argv.cjs');
  await writeFile(script, 'process.stdout.write(JSON.stringify(process.argv.slice(2)))');
  // Without `%`, which Wine's cmd reads in another way than Windows' does.
  const words = [
    'login',
    'https://mcp.example/mcp?a=1&b=2',
    'C:\\Program Files\\x\\',
    'grüße 日本',
    "it's",
    'a|b>c<d',
    'x^y',
    '(in)',
    '!x!',
    '$HOME',
    '`x`',
    'a,b;c=d',
    '',
    '@x',
    '~',
    'say "x & y"',
    '\\"',
    'x',
  ];
  const typed = shellCommand(['mcp-drawbridge', ...words], 'win32').split(' (in PowerShell')[0] as string;
  const { stdout, stderr } = await world.type(typed, 'argv.cjs');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(words);
});

it('prints what it is asked for, in a folder whose path has spaces and umlauts', async () => {
  await using world = await WineWorld.create();
  expect(await world.type('mcp-drawbridge status')).toMatchObject({ code: 0, stdout: 'No login.\n' });
  const wrong = await world.type('mcp-drawbridge --scpoe x');
  expect(wrong.stderr).toContain('did you mean --scope?');
  expect(wrong.code).not.toBe(0);
});
