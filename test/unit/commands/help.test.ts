import { expect, test } from 'vitest';
import { HELP_MAX_COLUMNS, helpText } from '../../../src/commands/help.ts';
import { defaults } from '../../../src/config/config.ts';
import { environmentName, type Option } from '../../../src/config/option.ts';
import { options } from '../../../src/config/options.ts';

const text = helpText();

test('fits the width and two screens', () => {
  const lines = text.split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(HELP_MAX_COLUMNS);
  expect(lines.length).toBeLessThan(120);
});

test.each(Object.entries(options) as [string, Option][])('--%s is there', (name, { environmentOnly }) => {
  const shown = environmentOnly === true ? environmentName(name) : `--${name}`;
  expect(text).toMatch(new RegExp(`^  ${shown}\\b`, 'm'));
});

test('tells the defaults that are used', () => {
  for (const [name, shown] of [
    ['auth-timeout', `${defaults.authTimeoutMs / 1000}`],
    ['connect-timeout', `${defaults.connectTimeoutMs / 1000}`],
    ['max-message-size', `${defaults.maxMessageBytes / 1024 ** 2}MiB`],
    ['callback-path', defaults.callbackPath],
    ['callback-host', defaults.callbackHost],
    ['profile', defaults.profile],
  ] as const) {
    expect(options[name].help).toContain(`(default: ${shown})`);
  }
});

test('its host config is valid JSON', () => {
  const json = /\n( {4}\{\n[\s\S]*?\n {4}\})\n/.exec(text)?.[1] ?? '';
  expect(JSON.parse(json)).toHaveProperty('mcpServers.example.args');
});
