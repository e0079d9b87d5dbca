import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { signInHint } from '../../../src/compose/settings/sign-in-hint.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import type { Option } from '../../../src/config/options/option.ts';
import { type OptionName, options } from '../../../src/config/options/options.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';

const SERVER = 'https://mcp.example/mcp';
const SECRET = 's3cr3t-canary';
const TERMINAL = { platform: 'linux', program: ['npx', '-y', 'mcp-drawbridge'], home: undefined } as const;

/** What a process is given: arguments, environment, files. */
interface RefreshDecision {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function load({ argv = [], env = {}, files = {} }: RefreshDecision): Config {
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no file ${path}`);
    return text;
  };
  const parsed = loadConfig(argv, env, read);
  if (!('config' in parsed) || parsed.config.server === undefined) throw new Error('no settings');
  return { ...parsed.config, server: parsed.config.server };
}

/** What `sh` makes of the command that is shown, read in another environment as the program reads it. */
function followed(start: RefreshDecision, env: Readonly<Record<string, string>> = {}) {
  const hint = signInHint(load(start), TERMINAL);
  const [, words = ''] = /: npx -y mcp-drawbridge (.*)$/s.exec(hint) ?? [];
  const { stdout, stderr } = spawnSync('sh', ['-c', `printf '%s\\0' ${words}`]);
  expect(String(stderr)).toBe('');
  const argv = String(stdout).split('\0').slice(0, -1);
  return { hint, argv, config: load({ argv, env, files: start.files ?? {} }) };
}

/** Arguments that need each other, and for each option whether a login in a terminal has to repeat it. */
const clientId = ['--client-id', 'it\'s $(me) `x` \\ "y"'];
const service = [...clientId, '--grant', 'client_credentials', '--client-secret-file', '/s'];
const enterprise = [
  ...clientId,
  '--grant',
  'enterprise',
  '--id-token-file',
  '/i',
  '--idp-client-id',
  'at-idp',
  '--idp-token-endpoint',
  'https://idp.example/token',
];
// A bridge asks only where it is told to; the command asks anyway.
const keyed = ['--interactive', '--store-key-file', '/key'];
const shared = ['--store', 'rediss://store.example', ...keyed];
const repeated: Partial<Record<OptionName, readonly string[]>> = {
  'header-file': ['--header-file', '/h'],
  'allow-http': ['--allow-http'],
  ca: ['--ca', '/ca.pem'],
  cert: ['--cert', '/c', '--key', '/k'],
  key: ['--cert', '/c', '--key', '/k'],
  profile: ['--profile', 'work'],
  scope: ['--scope', 'read write'],
  resource: ['--resource', "https://mcp.example/a'b;c"],
  'callback-host': ['--callback-host', 'localhost'],
  'callback-port': ['--callback-port', '4711'],
  'callback-path': ['--callback-path', "/it's(me)"],
  'assume-pkce': ['--assume-pkce'],
  preset: ['--preset', 'auth0'],
  'client-id': clientId,
  'client-secret-env': [...clientId, '--client-secret-env', 'SECRET'],
  'client-secret-file': service,
  'client-key': [...clientId, '--client-key', '/pem', '--client-key-alg', 'ES256'],
  'client-key-alg': [...clientId, '--client-key', '/pem', '--client-key-alg', 'ES256'],
  'client-metadata-url': ['--client-metadata-url', 'https://me.example/client'],
  grant: ['--grant', 'device_code'],
  'assertion-file': ['--grant', 'jwt-bearer', '--assertion-file', '/a'],
  'id-token-file': enterprise,
  'idp-client-id': enterprise,
  'idp-token-endpoint': enterprise,
  'idp-client-secret-env': [...enterprise, '--idp-client-secret-env', 'SECRET'],
  'idp-client-key': [...enterprise, '--idp-client-key', '/pem'],
  'idp-client-secret-file': [...enterprise, '--idp-client-secret-file', '/s'],
  'authorize-param': ['--authorize-param', "a=b 'c'", '--authorize-param', 'd=-e'],
  'no-resource': ['--no-resource'],
  'use-id-token': ['--use-id-token'],
  dpop: ['--dpop', 'always'],
  issuer: ['--issuer', 'https://login.example/{tenantid}/'],
  home: ['--home', '/home/a b'],
  store: shared,
  'store-file': ['--store-file', '/url', ...keyed],
  'store-key-file': shared,
  'store-key-command': [
    '--interactive',
    '--store',
    'rediss://store.example',
    '--store-key-command',
    `vault get 'a b'`,
  ],
  'store-prefix': [...shared, '--store-prefix', 'team:ci'],
  'allow-plain-store': ['--store', 'redis://store.example', ...keyed, '--allow-plain-store'],
};
const files = {
  '/s': SECRET,
  '/h': `X-Key: ${SECRET}`,
  '/pem': SECRET,
  '/key': Buffer.alloc(32, 1).toString('base64'),
  '/url': `rediss://user:${SECRET}@store.example`,
};
const env = { SECRET };

describe('the suggested command', () => {
  const marked = (Object.entries(options) as [OptionName, Option][])
    .filter(([, { login, secret }]) => login !== undefined && secret !== true)
    .map(([name]) => name);

  test.each(marked)('repeats --%s, and means the same login', (name) => {
    const argv = [SERVER, ...(repeated[name] ?? [])];
    expect(argv.length, `no example of --${name}`).toBeGreaterThan(1);
    const start = { argv, env, files };
    const { argv: words, config } = followed(start, env);
    expect(words.slice(0, 2)).toEqual(['login', SERVER]);
    expect(words.join('\n')).toMatch(new RegExp(`^--${name}(=|$)`, 'm'));
    const { loginCommand, ...wanted } = load(start);
    expect(keyOf(config)).toBe(keyOf(wanted as Config));
    expect(config).toMatchObject(wanted);
    expect(words.join('\n')).not.toContain(SECRET);
  });

  test('repeats all options at once, also from the environment', () => {
    const start = {
      argv: [SERVER, ...service, '--scope', 'b a', '--resource', 'https://mcp.example/'],
      env: { ...env, MCP_DRAWBRIDGE_PROFILE: 'work', MCP_DRAWBRIDGE_AUTHORIZE_PARAM: 'x=1\ny=2' },
      files,
    };
    expect(keyOf(followed(start).config)).toBe(keyOf(load(start)));
  });

  test('names a config file, with only the options that override it', () => {
    const file = {
      'client-id': 'in-file',
      'client-secret': SECRET,
      scope: 'a',
      url: `${SERVER}?key=${SECRET}`,
    };
    const start = {
      argv: ['--config', '/my config.json', '--scope', 'b'],
      files: { '/my config.json': JSON.stringify({ ...file, 'non-interactive': true }) },
    };
    const { argv, hint, config } = followed(start);
    expect(argv).toEqual(['login', '--config', '/my config.json', '--scope', 'b', '--non-interactive=false']);
    expect(hint).not.toContain(SECRET);
    expect(keyOf(config)).toBe(keyOf(load(start)));
    expect(config.nonInteractiveReason).toBeUndefined();
  });

  test.each([
    [
      'a client secret',
      ['--client-id', 'a', '--client-secret', SECRET],
      /in the environment variable CLIENT_SECRET\): /,
    ],
    ['a header', ['--header', `X-Key: ${SECRET}`], /\(with the same --header X-Key as here\): /],
  ])('%s that was written out is left out, with a word', (_, argv, word) => {
    const { hint, config } = followed({ argv: [SERVER, ...argv] }, { CLIENT_SECRET: SECRET });
    expect(hint).toMatch(word);
    expect(hint).not.toContain(SECRET);
    expect(keyOf(config)).toBe(keyOf(load({ argv: [SERVER, ...argv] })));
  });

  test('keeps a variable in a header as a variable', () => {
    const { argv } = followed(
      { argv: [SERVER, '--header', `X-Key: Bearer \${KEY}`], env: { KEY: SECRET } },
      { KEY: SECRET },
    );
    expect(argv).toContain(`X-Key: Bearer \${KEY}`);
  });

  test("leaves the values of an address's query to the person", () => {
    const hint = signInHint(load({ argv: [`${SERVER}?key=${SECRET}`] }), TERMINAL);
    expect(hint).toContain(`in place of the dots): npx -y mcp-drawbridge login '${SERVER}?key=…'`);
    expect(hint).not.toContain(SECRET);
  });

  test('keeps a switch turned off; a value that looks like a flag stays a value', () => {
    const { argv } = followed({ argv: [SERVER, '--no-resource=off', '--client-id=--force'] });
    expect(argv).toEqual(['login', SERVER, '--client-id=--force', '--no-resource=false']);
  });

  test('does not exist for a store in memory', () => {
    const config = load({ argv: [SERVER] });
    expect(signInHint({ ...config, store: { kind: 'memory' } })).toContain('MCP_DRAWBRIDGE_CREDENTIALS');
  });
});
