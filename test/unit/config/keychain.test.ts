import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';

const URL_TEXT = 'https://example.com/mcp';
const load = (argv: readonly string[], environment = {}) => {
  const parsed = loadConfig(argv, environment, () => '');
  if (!('config' in parsed)) throw new Error(parsed.command);
  return parsed.config;
};

test.each([
  [['--keychain', URL_TEXT], {}, 'system'],
  [[URL_TEXT, '--keychain'], {}, 'system'],
  [['--keychain', 'system', URL_TEXT], {}, 'system'],
  [['--keychain', 'helper:pass', URL_TEXT], {}, 'helper:pass'],
  [['--keychain=helper:pass', URL_TEXT], {}, 'helper:pass'],
  [[URL_TEXT], { MCP_DRAWBRIDGE_KEYCHAIN: 'system' }, 'system'],
  [[URL_TEXT], { MCP_DRAWBRIDGE_KEYCHAIN: 'helper:x.y-z_1' }, 'helper:x.y-z_1'],
  [[URL_TEXT], { MCP_DRAWBRIDGE_KEYCHAIN: '' }, undefined],
  [[URL_TEXT], {}, undefined],
])('%j with %j: %s', (argv, environment, keychain) => {
  const { keychain: read, ...config } = load(argv, environment);
  expect(read).toBe(keychain);
  expect(config).toMatchObject({ server: new URL(URL_TEXT) });
});

test.each([
  [[URL_TEXT, '--keychain=pass'], 'expected system, or helper:NAME'],
  [[URL_TEXT, '--keychain=helper:../x'], 'expected system, or helper:NAME'],
  [[URL_TEXT, '--keychain', 'helper:'], 'expected system, or helper:NAME'],
  [['keychain'], 'expected on, off or status'],
  [['keychain', 'up'], 'expected on, off or status'],
  [['keychain', 'on', 'off'], 'expected on, off or status'],
  [['status', '--backend', 'system'], 'only valid with the command keychain'],
])('%j is refused: %s', (argv, why) => {
  expect(() => load(argv)).toThrow(why);
});

test('a shared store has its own key', () => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const argv = [URL_TEXT, '--store', 'rediss://redis.example', '--keychain'];
  expect(() => load(argv, { MCP_DRAWBRIDGE_STORE_KEY: key })).toThrow('--keychain is for logins in files');
});

test.each(['on', 'off', 'status'])('keychain %s', (action) => {
  expect(load(['keychain', action])).toMatchObject({ keychainAction: action });
});

test('keychain on accepts the keychain to use', () => {
  expect(load(['keychain', 'on', '--backend', 'helper:pass'])).toMatchObject({ backend: 'helper:pass' });
});
