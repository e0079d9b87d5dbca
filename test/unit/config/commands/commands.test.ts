import { describe, expect, test } from 'vitest';
import { loadConfig, type ParsedCommand } from '../../../../src/config/config.ts';
import { nonInteractiveReason } from '../../../../src/config/interactive.ts';
import type { DrawbridgeError } from '../../../../src/errors.ts';

const URL_TEXT = 'https://example.com/mcp';
const CANARY = 's3cr3t-canary';

function load(argv: readonly string[], env: Record<string, string> = {}): ParsedCommand {
  return loadConfig(argv, env, () => '');
}

function failure(argv: readonly string[], env?: Record<string, string>): DrawbridgeError {
  try {
    load(argv, env);
  } catch (error) {
    return error as DrawbridgeError;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

test.each<[string, readonly string[], Record<string, unknown>]>([
  ['login', ['login', URL_TEXT, '--force'], { server: new URL(URL_TEXT), force: true }],
  ['logout', ['logout', '--all'], { all: true }],
  ['status', ['status', '--json'], { json: true }],
  ['status', ['status', URL_TEXT, '--profile', 'work'], { onlyProfile: 'work', oauth: { profile: 'work' } }],
  ['token', ['token', URL_TEXT, '--header'], { wholeHeader: true, headers: [] }],
  ['token', ['token', '--header', URL_TEXT], { wholeHeader: true, server: new URL(URL_TEXT) }],
  ['tokens export', ['tokens', 'export', URL_TEXT], { server: new URL(URL_TEXT) }],
  ['tokens import', ['tokens', 'import', 'login.json'], { file: 'login.json' }],
  ['tokens import', ['tokens', 'import', URL_TEXT, '-'], { file: '-', server: new URL(URL_TEXT) }],
  ['tokens import', ['tokens', 'import'], {}],
  ['import-mcp-remote', ['import-mcp-remote', URL_TEXT], { server: new URL(URL_TEXT) }],
])('%s: %j', (command, argv, part) => {
  const parsed = load(argv);
  expect(parsed.command).toBe(command);
  expect('config' in parsed ? parsed.config : {}).toMatchObject(part);
});

test.each<[readonly string[], RegExp]>([
  [['login'], /address of the MCP server is missing/],
  [['logout'], /address of the MCP server is missing/],
  [['tokens'], /tokens needs a subcommand/],
  [['tokens', 'exprt', URL_TEXT], /tokens needs a subcommand/],
  [['tokens', 'import', 'a.json', 'b.json'], /too many arguments/],
  [[URL_TEXT, '--force'], /--force: only valid with the command login/],
  [['login', URL_TEXT, '--json'], /--json: only valid with the command status/],
  [['login', 'http://example.com/mcp'], /plain http/],
  [[URL_TEXT, '--interactive', '--non-interactive'], /exclude each other/],
])('%j is refused', (argv, message) => {
  expect(failure(argv)).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
});

describe('secrets', () => {
  test.each(['--token', '--credentials'])('refuses %s in argv without showing it', (flag) => {
    const error = failure([URL_TEXT, flag, CANARY]);
    expect(error.code).toBe('usage');
    expect(`${error.message} ${error.hint}`).not.toContain(CANARY);
    expect(error.hint).toContain('MCP_DRAWBRIDGE_');
  });

  test('MCP_DRAWBRIDGE_TOKEN turns OAuth off, and an explicit header wins', () => {
    const env = { MCP_DRAWBRIDGE_TOKEN: CANARY };
    expect(load([URL_TEXT], env)).toMatchObject({
      config: { staticAuthorization: true, headers: [['Authorization', `Bearer ${CANARY}`]] },
    });
    expect(load([URL_TEXT, '--header', 'authorization: Basic x'], env)).toMatchObject({
      config: { staticAuthorization: true, headers: [['authorization', 'Basic x']] },
    });
  });

  test('refuses a token that is not a valid header value, without showing it', () => {
    const error = failure([URL_TEXT], { MCP_DRAWBRIDGE_TOKEN: `${CANARY}\r\nX: y` });
    expect(error.code).toBe('config');
    expect(error.message).not.toContain(CANARY);
  });
});

describe('whether a person is present', () => {
  const none = {};
  test.each<[string, object, Record<string, string>, string | undefined]>([
    ['a desktop', none, { DISPLAY: ':0' }, undefined],
    ['an environment without a display: a host may have kept it back', none, {}, undefined],
    ['CI', none, { CI: 'true', DISPLAY: ':0' }, 'ci'],
    ['not CI', none, { CI: 'false' }, undefined],
    ['--interactive', { interactive: true }, { CI: 'true' }, undefined],
    ['--non-interactive', { 'non-interactive': true }, { DISPLAY: ':0' }, 'asked'],
    ['--interactive=false', { interactive: false }, {}, 'asked'],
    ['a code under CI', { grant: 'device_code' }, { CI: 'true' }, 'ci'],
    ['--no-browser under CI', { 'no-browser': true }, { CI: '1' }, 'ci'],
  ])('%s', (_, settings, environment, expected) => {
    expect(nonInteractiveReason(settings, environment)).toBe(expected);
  });
});
