import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';

const URL_ARGUMENT = 'https://mcp.example/mcp';

function load(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
) {
  const readFile = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  const parsed = loadConfig([URL_ARGUMENT, ...args], env, readFile);
  if (parsed.command !== 'bridge') throw new Error(parsed.command);
  return parsed;
}

const oauth = (args: readonly string[], env = {}, files = {}): Config['oauth'] =>
  load(args, env, files).config.oauth;

describe('the client', () => {
  it('gets its secret from the environment, a file or the option, and only the option in argv causes a warning', () => {
    const expected = { clientId: 'c', clientSecret: 's=1' };
    expect(oauth(['--client-id', 'c', '--client-secret-env', 'S'], { S: 's=1' }).client).toEqual(expected);
    expect(oauth(['--client-id', 'c', '--client-secret-file', '/s'], {}, { '/s': 's=1\n' }).client).toEqual(
      expected,
    );
    const literal = load(['--client-id', 'c', '--client-secret', 's=1']);
    expect(literal.config.oauth.client).toEqual(expected);
    expect(literal.warnings.join()).toContain('--client-secret-env');
    expect(literal.warnings.join()).not.toContain('s=1');
    const quiet = load(['--client-id', 'c'], { MCP_DRAWBRIDGE_CLIENT_SECRET: 's=1' });
    expect(quiet.config.oauth.client).toEqual(expected);
    expect(quiet.warnings).toEqual([]);
  });

  it.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['a secret without a client', ['--client-secret', 's'], {}, /--client-id/],
    [
      'two secrets',
      ['--client-id', 'c', '--client-secret', 's', '--client-secret-env', 'S'],
      { S: 's' },
      /twice/,
    ],
    ['an empty variable', ['--client-id', 'c', '--client-secret-env', 'S'], { S: '' }, /"S" is not set/],
    ['a missing file', ['--client-id', 'c', '--client-secret-file', '/no'], {}, /cannot be read/],
    ['a key without a client', ['--client-key', '/k'], {}, /--client-id/],
    ['an algorithm without a key', ['--client-id', 'c', '--client-key-alg', 'ES256'], {}, /--client-key/],
    ['an unknown algorithm', ['--client-id', 'c', '--client-key-alg', 'none'], {}, /ES256/],
    [
      'two kinds of client',
      ['--client-id', 'c', '--client-metadata-url', 'https://c.example'],
      {},
      /exclude/,
    ],
    [
      'a document and a secret',
      ['--client-metadata-url', 'https://c.example/c', '--client-secret', 's'],
      {},
      /--client-id/,
    ],
    ['a document over http', ['--client-metadata-url', 'http://c.example'], {}, /https/],
    ['--resource and its opposite', ['--no-resource', '--resource', 'https://r.example'], {}, /exclude/],
  ])('%s is refused', (_name, args, env, message) => {
    expect(() => load(args, env)).toThrow(message);
  });

  it('a client metadata document can have a key, and is then the client', () => {
    const args = ['--client-metadata-url', 'https://c.example/c', '--client-key', '/k'];
    expect(oauth(args, {}, { '/k': 'PEM' })).toMatchObject({
      clientMetadataUrl: 'https://c.example/c',
      client: { clientId: 'https://c.example/c', signingKey: 'PEM' },
    });
  });

  it('no message holds the secret', () => {
    const files = { '/s': 'line one\nsecret-canary\n' };
    expect(() => load(['--client-id', 'c', '--client-secret-file', '/s'], {}, files)).toThrow(/one line/);
    expect(() => load(['--client-id', 'c', '--client-secret-file', '/s'], {}, files)).not.toThrow(/canary/);
  });
});

describe('grants', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['client_credentials without a client', ['--grant', 'client_credentials'], /--client-id/],
    [
      'client_credentials without a secret',
      ['--grant', 'client_credentials', '--client-id', 'c'],
      /--client-key/,
    ],
    ['jwt-bearer without an assertion', ['--grant', 'jwt-bearer'], /--assertion-file/],
    ['an assertion without jwt-bearer', ['--assertion-file', '/a'], /--grant jwt-bearer/],
    ['enterprise without an ID token', ['--grant', 'enterprise', '--client-id', 'c'], /--id-token-file/],
    ['an ID token without enterprise', ['--id-token-file', '/a'], /--grant enterprise/],
    [
      "an identity provider's secret without enterprise",
      ['--idp-client-secret-env', 'PATH'],
      /--grant enterprise/,
    ],
    ['another grant', ['--grant', 'password'], /authorization_code/],
  ])('%s is refused', (_name, args, message) => {
    expect(() => load(args)).toThrow(message);
  });

  it("the identity provider's secret is given once, and not as a literal", () => {
    const args = [
      '--grant',
      'enterprise',
      '--client-id',
      'c',
      '--id-token-file',
      '/t',
      '--idp-client-id',
      'i',
    ];
    const whole = [
      ...args,
      '--idp-token-endpoint',
      'https://idp.example/token',
      '--idp-client-secret-file',
      '/s',
    ];
    expect(oauth(whole, {}, { '/s': 'hush\n' }).machineGrant).toMatchObject({ idpClientSecret: 'hush' });
    expect(() => load(whole)).toThrow(/--idp-client-secret-file: "\/s" cannot be read/);
    expect(() => load([...whole, '--idp-client-secret-env', 'S'], { S: 's' })).toThrow(/given twice/);
    expect(() => load([...args, '--idp-client-secret', 's'])).toThrow(/--idp-client-secret/);
  });

  it('enterprise requires all of its options', () => {
    const args = [
      '--grant',
      'enterprise',
      '--client-id',
      'c',
      '--id-token-file',
      '/t',
      '--idp-client-id',
      'i',
    ];
    expect(() => load(args)).toThrow(/--idp-token-endpoint/);
    expect(oauth([...args, '--idp-token-endpoint', 'https://idp.example/token']).machineGrant).toEqual({
      kind: 'enterprise',
      idTokenFile: '/t',
      idpClientId: 'i',
      idpTokenEndpoint: 'https://idp.example/token',
    });
  });
});

describe('--dpop', () => {
  it('is auto by default, from each source; and an ID token is never bound', () => {
    expect(oauth([]).dpop).toBe('auto');
    expect(oauth(['--dpop', 'never']).dpop).toBe('never');
    expect(oauth([], { MCP_DRAWBRIDGE_DPOP: 'always' }).dpop).toBe('always');
    expect(oauth(['--config', '/c.json'], {}, { '/c.json': '{"dpop":"always"}' }).dpop).toBe('always');
    expect(oauth(['--use-id-token']).dpop).toBe('never');
    expect(() => load(['--use-id-token', '--dpop', 'always'])).toThrow(/exclude each other/);
    expect(() => load(['--dpop', 'yes'])).toThrow(/auto, always, never/);
  });

  it('always, never and auto lead to three different logins', () => {
    const keys = [[], ['--dpop', 'auto'], ['--dpop', 'always'], ['--dpop', 'never']].map((args) =>
      keyOf(load(args).config),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
  });
});

describe('--authorize-param', () => {
  it('is merged from all sources, in their order of precedence', () => {
    const env = { MCP_DRAWBRIDGE_AUTHORIZE_PARAM: 'a=1\nb=2=3' };
    expect(oauth(['--authorize-param', 'c='], env).authorizeParams).toEqual([
      ['a', '1'],
      ['b', '2=3'],
      ['c', ''],
    ]);
  });

  it.each([
    'state=x',
    'redirect_uri=https://evil.example',
    'client_id=x',
    'scope=x',
    'noequals',
    '=x',
    'a b=c',
  ])('%s is refused', (text) => {
    expect(() => load(['--authorize-param', text])).toThrow(/--authorize-param/);
  });
});

describe('presets', () => {
  it('set what the vendor needs, and yield to explicit options', () => {
    const entra = oauth(['--preset', 'entra', '--client-id', 'c']);
    expect(entra).toMatchObject({ noResource: true, scopeOnTokenRequests: true });
    expect(entra.callback.host).toBe('localhost');
    const own = load([
      '--preset',
      'entra',
      '--client-id',
      'c',
      '--callback-host',
      '127.0.0.1',
      '--no-resource=false',
    ]);
    expect(own.config.oauth.noResource).toBe(false);
    expect(own.config.oauth.callback.host).toBe('127.0.0.1');
    const google = oauth([
      '--preset',
      'google',
      '--client-id',
      'c',
      '--authorize-param',
      'prompt=select_account',
    ]);
    expect(Object.fromEntries(google.authorizeParams)).toEqual({
      access_type: 'offline',
      prompt: 'select_account',
    });
  });

  it('ask for a client id at once if registration is not possible', () => {
    expect(() => load(['--preset', 'google'])).toThrow(/--client-id/);
    expect(() => load(['--preset', 'nobody'])).toThrow(/entra/);
  });
});
