import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import {
  type LibraryOptionName,
  libraryConfig,
  libraryEnvironment,
  libraryOptions,
} from '../../../src/config/library-config.ts';
import type { Option } from '../../../src/config/options/option.ts';
import { options } from '../../../src/config/options/options.ts';
import type { LoginOptions } from '../../../src/library/interface/login-options.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';

const URL_TEXT = 'https://mcp.example/mcp';
const deps = { environment: {}, readFile: () => '' };
const config = (given: Readonly<Record<string, unknown>>, environment = {}) =>
  libraryConfig(URL_TEXT, given, { ...deps, environment });

/** What the library has beside the options of the command line. */
type Own = 'fetch' | 'onPrompt';
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

describe('the options of the library', () => {
  it('are all command-line options that affect a login', () => {
    const isTyped: Same<Exclude<keyof LoginOptions, Own>, LibraryOptionName> = true;
    expect(isTyped).toBe(true);
    const decide = Object.entries(options as Record<string, Option>).flatMap(([name, { login }]) =>
      login === undefined || name === 'url' ? [] : [name],
    );
    expect(libraryOptions).toEqual(expect.arrayContaining(decide));
  });

  it('lead to the same login as the flags', () => {
    const flags = [
      '--profile',
      'work',
      '--scope',
      'a b',
      '--client-id',
      'id',
      '--authorize-param',
      'a=1',
      '--dpop',
      'always',
    ];
    const parsed = loadConfig([URL_TEXT, ...flags], {}, () => '');
    if (parsed.command !== 'bridge') throw new Error(parsed.command);
    const given = config({
      profile: 'work',
      scope: 'a b',
      clientId: 'id',
      authorizeParam: ['a=1'],
      dpop: 'always',
    });
    expect(keyOf(given)).toBe(keyOf(parsed.config));
    expect(given.loginCommand).toEqual(parsed.config.loginCommand);
  });

  it.each([
    [{ profil: 'x' }, '"profil" is no option', 'did you mean profile?'],
    [{ 'client-id': 'x' }, '"client-id" is no option', 'did you mean clientId?'],
    [{ scope: ['a'] }, 'scope: expected a string or a number; got an array of 1', undefined],
    [{ wait: 'yes' }, 'wait: expected true or false; got a string of 3 characters', undefined],
    [{ header: ['a: b', 1] }, 'header: expected strings; got an array with a number', undefined],
    [{ clientSecret: { a: 1 } }, 'clientSecret: expected a string or a number; got an object', undefined],
    [{ authTimeout: -1 }, 'authTimeout: expected seconds, from 1 to 86400; got "-1"', undefined],
    [
      { clientSecret: 'sec\nret' },
      'clientSecret: expected printable ASCII, at most 4096 characters',
      undefined,
    ],
    [
      { cert: 'a' },
      'cert and key only work together',
      'pass the certificate with cert FILE and its private key with key FILE',
    ],
    [{ grant: 'client_credentials' }, 'grant client_credentials needs clientId', 'see --help'],
  ])('%j: the error names the option, and what was expected', (given, message, hint) => {
    expect(() => config(given)).toThrow(expect.objectContaining({ code: 'config', message, hint }));
  });

  it.each([
    [undefined, 'url: expected the address of an MCP server, a string or a URL; got undefined'],
    ['mcp.example', 'url: expected the address of an MCP server, such as https://example.com/mcp'],
    [
      'http://mcp.example/mcp',
      "the server's address is plain http: everyone between here and mcp.example could read the tokens",
    ],
  ])('%s is not a server address', (url, message) => {
    expect(() => libraryConfig(url, {}, deps)).toThrow(expect.objectContaining({ message }));
  });
});

describe('the environment', () => {
  it('is read for where logins are stored, and not for how to sign in', () => {
    const environment = {
      MCP_DRAWBRIDGE_HOME: '/logins',
      MCP_DRAWBRIDGE_SCOPE: 'a',
      MCP_DRAWBRIDGE_TOKEN: 't',
      OTHER: 'x',
    };
    expect(libraryEnvironment(environment)).toEqual({ MCP_DRAWBRIDGE_HOME: '/logins', OTHER: 'x' });
    const { home, oauth, staticAuthorization } = config({}, environment);
    expect({ home, scope: oauth.scope, staticAuthorization }).toEqual({
      home: '/logins',
      scope: undefined,
      staticAuthorization: false,
    });
  });

  it('is read for variables that options name', () => {
    const { headers } = config({ header: 'X-Key: ${KEY}' }, { KEY: 'value' });
    expect(headers).toEqual([['X-Key', 'value']]);
  });
});
