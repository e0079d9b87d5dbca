import { expect, test } from 'vitest';
import { HELP_MAX_COLUMNS, helpText } from '../../../src/commands/help/help.ts';
import { commands } from '../../../src/config/commands/commands.ts';
import { defaults } from '../../../src/config/config.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { environmentName, type Option } from '../../../src/config/options/option.ts';
import { options } from '../../../src/config/options/options.ts';

const text = helpText(['all']);
const widest = (shown: string) => Math.max(...shown.split('\n').map((line) => [...line].length));

test('plain --help fits on a screen, says what the program is and where the rest is described', () => {
  const short = helpText();
  expect(widest(short)).toBeLessThanOrEqual(HELP_MAX_COLUMNS);
  const lines = short.trimEnd().split('\n').length;
  expect(lines).toBeGreaterThanOrEqual(24);
  expect(lines).toBeLessThanOrEqual(40);
  for (const command of commands) expect(short).toMatch(new RegExp(`^  mcp-drawbridge ${command}\\b`, 'm'));
  for (const part of ['mcp-drawbridge URL [PORT] [options]', '--header', '--help all', 'login --help'])
    expect(short).toContain(part);
  const json = /\n {4}(\{.*\})\n/.exec(short)?.[1] ?? '';
  expect(JSON.parse(json)).toMatchObject({ command: 'npx', args: expect.any(Array) });
});

test.each([...commands, 'presets'] as const)('%s has its own help', (command) => {
  const own = helpText([command]);
  expect(own).toMatch(new RegExp(`^mcp-drawbridge ${command}\\b`));
  expect(widest(own)).toBeLessThanOrEqual(HELP_MAX_COLUMNS + 10);
  expect(own.split('\n').length).toBeLessThanOrEqual(24);
  for (const [name, { only }] of Object.entries(options) as [string, Option][]) {
    if (only?.some((each) => each === command)) expect(own).toMatch(new RegExp(`^  --${name}\\b`, 'm'));
  }
});

test('the whole help fits the width and four screens', () => {
  expect(widest(text)).toBeLessThanOrEqual(HELP_MAX_COLUMNS);
  expect(text.split('\n').length).toBeLessThan(170);
});

test.each(Object.entries(options) as [string, Option][])('lists --%s', (name, { environmentOnly }) => {
  const shown = environmentOnly === true ? environmentName(name) : `--${name}`;
  expect(text).toMatch(new RegExp(`^  ${shown}\\b`, 'm'));
});

test('states the defaults in use', () => {
  for (const [name, shown] of [
    ['auth-timeout', `${defaults.authTimeoutMs / 1000}`],
    ['connect-timeout', `${defaults.connectTimeoutMs / 1000}`],
    ['max-message-size', `${defaults.maxMessageBytes / 1024 ** 2}MiB`],
    ['callback-path', oauthDefaults.callback.path],
    ['callback-host', oauthDefaults.callback.host],
    ['profile', oauthDefaults.profile],
  ] as const) {
    expect(options[name].help).toContain(`(default: ${shown})`);
  }
});

test('contains a host configuration that is valid JSON', () => {
  const json = /\n( {4}\{\n[\s\S]*?\n {4}\})\n/.exec(text)?.[1] ?? '';
  expect(JSON.parse(json)).toHaveProperty('mcpServers.example.args');
});
