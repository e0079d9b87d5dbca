import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import type { Option } from '../../../../src/config/options/option.ts';
import { type OptionName, options } from '../../../../src/config/options/options.ts';
import { keyOf } from '../../../../src/store/record/credential-key.ts';

/** Computed when the key was first released: a login that is stored under a key is found by no other. */
const released: readonly [what: string, args: readonly string[], key: string][] = [
  ['nothing but the server', [], '395f0f1e8304691ad982eafc9aff703832a10fb6f6777ae224f5e5a1cee00c44'],
  ['a profile', ['--profile', 'work'], '33f607c064547b73eea9fedb3f0b8667fb133eb272b577c0d417fcd825fcd22e'],
  ['a scope', ['--scope', 'b a b'], '318a3a463369839c6cc248463f40ef8392c3b3f3736682d71ebe3c4f4728d3e5'],
  [
    'a resource',
    ['--resource', 'https://Mcp.example/'],
    '8ee492a0d43a9432801b5ae6ee4c2486d28c5f6689bafb0a9f517271530ae5c4',
  ],
  ['no resource', ['--no-resource'], '3aa8cd582b539f54aaf6d00f711c0a15515969f3b4d3ac21f8d5fda2e6348c99'],
  ['a client', ['--client-id', 'c'], 'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84'],
  [
    'a client with a secret',
    ['--client-id', 'c', '--client-secret-env', 'S'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'a client with a key',
    ['--client-id', 'c', '--client-key', '/k', '--client-key-alg', 'ES256'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'a metadata document',
    ['--client-metadata-url', 'https://c.example/c'],
    '9f6fed6a9c57e51a26ca50cdac8934e8220c7b58561bbd7f5a7ff583b603b84b',
  ],
  [
    'a metadata document with a key',
    ['--client-metadata-url', 'https://c.example/c', '--client-key', '/k'],
    '88505e9a256b7789f10d00d74d7c4e37b66358840b9a5e84e2930047a03d627f',
  ],
  [
    'the device grant',
    ['--grant', 'device_code'],
    'd7adb7074993ef090183418eaff8f16afaaeb41b0207745a390c066d90e6fe2e',
  ],
  [
    'client credentials',
    ['--grant', 'client_credentials', '--client-id', 'c', '--client-secret-env', 'S'],
    'df45fa097e907cd19f99933e178b796f72a484ca0e3d59fd7f2e99042710d30b',
  ],
  [
    'an assertion',
    ['--grant', 'jwt-bearer', '--assertion-file', '/a'],
    'c29b38528f7cf76145a24a1d9aa53c8e7199900040cd6dbffed043b4f115c98f',
  ],
  [
    'an enterprise grant',
    [
      '--grant',
      'enterprise',
      '--client-id',
      'c',
      '--id-token-file',
      '/t',
      '--idp-client-id',
      'i',
      '--idp-token-endpoint',
      'https://idp.example/token',
    ],
    '8607c5e5157933698fc7bea32b36c2d0211fdd7b4dcc5fb3e11ba2ac64207be2',
  ],
  ['DPoP always', ['--dpop', 'always'], 'e2a7ae34eef3ed5495699a197ebee59374e2c31f04aeaeb77921e0ec6660104a'],
  ['DPoP never', ['--dpop', 'never'], '1053db4fd28dc3e02b44070c4bdcf2deaeba1dde8211fe8d6019d35cca978bd8'],
  [
    'an issuer',
    ['--issuer', 'https://login.example/{tenantid}/'],
    '2ee4c93035abd3f8d2b5c62c396a75b894484e9ddb6ce1521054f5d47c81ac25',
  ],
  ['the ID token', ['--use-id-token'], 'ceff98fa472d161c47de9c0d353eff47dd3e94196deee8bdb9093c4aa6a30a99'],
  [
    'parameters',
    ['--authorize-param', 'b=2', '--authorize-param', 'a=1', '--authorize-param', 'b=1'],
    '4edee99664d610c9ebe6f6314b56847455aaf891f0f9af57a915c2b55d98dd76',
  ],
  [
    'the preset entra',
    ['--preset', 'entra', '--client-id', 'c'],
    '036e644932d6b80bc00fa1d39b544082a894b5ad2dc30e1d00ee9d7b98b8c086',
  ],
  [
    'the preset google',
    ['--preset', 'google', '--client-id', 'c'],
    '538dab977f4201c48bc2ebc25e7608647443f4f8a4375d37ede345183578ce8f',
  ],
  [
    'the preset slack',
    ['--preset', 'slack', '--client-id', 'c'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'the preset salesforce',
    ['--preset', 'salesforce', '--client-id', 'c'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'the preset github',
    ['--preset', 'github', '--client-id', 'c'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'the preset auth0',
    ['--preset', 'auth0', '--client-id', 'c'],
    'fbf744a827921ac79e432e9dd01fa919bb737bd4c5f7cc01947c9550056a1383',
  ],
  [
    'the preset okta',
    ['--preset', 'okta', '--client-id', 'c'],
    'f617f632a29f05f74dca55ccf6aab9a6585b6532ebb1ad05d59a0dc571503e84',
  ],
  [
    'the preset cognito',
    ['--preset', 'cognito', '--client-id', 'c'],
    '09fac0e9e77bd568e3afff6a11735ef319a3c1626c5fdea2e84afe4dc851535c',
  ],
  [
    'the preset auth0 with its audience given',
    ['--preset', 'auth0', '--authorize-param', 'audience=x'],
    '38e8c238f45f5b7193341bc67171c6079a62b08b4c5c90a8c8afac54435790d9',
  ],
  [
    'the preset entra with a resource',
    ['--preset', 'entra', '--client-id', 'c', '--resource', 'https://mcp.example/'],
    '282b2258c52296f078bb6bb8e9998ceddf3e23f4c592c4124d045a76d88836f1',
  ],
  [
    'everything at once',
    [
      '--profile',
      'p',
      '--scope',
      'z y',
      '--resource',
      'https://mcp.example/',
      '--client-id',
      'c',
      '--dpop',
      'always',
      '--issuer',
      'https://i.example',
      '--authorize-param',
      'a=1',
      '--preset',
      'auth0',
    ],
    'd784436894e70404410fa1c8cb52c65af643eb2319a1df72ddbb1655346c5c6e',
  ],
];

const MCP_SERVER = 'https://Mcp.example:443/mcp';

function keyFor(args: readonly string[], server = MCP_SERVER): string {
  const parsed = loadConfig([server, ...args], { S: 's' }, read);
  if (parsed.command !== 'bridge') throw new Error(parsed.command);
  return keyOf(parsed.config);
}

const files: Readonly<Record<string, string>> = {
  '/c.json': '{"profile":"in-file"}',
  '/headers': 'X-A: b',
  '/key': Buffer.alloc(32, 1).toString('base64'),
  '/url': 'rediss://store.example',
};
const read = (path: string) => files[path] ?? 'text';

test.each(released)('%s has the key of the first release', (_what, args, key) => {
  expect(keyFor(args)).toBe(key);
});

const client = ['--client-id', 'c'];
const document = ['--client-metadata-url', 'https://c.example/c'];
const enterprise = [...client, '--grant', 'enterprise', '--id-token-file', '/t', '--idp-client-id', 'i'];
const shared = ['--store', 'rediss://store.example', '--store-key-file', '/key'];
const atIdp = [...enterprise, '--idp-token-endpoint', 'https://idp.example/token'];

/** For each option the arguments without it and with it, or with another value. */
const differences: Partial<
  Record<OptionName, readonly [without: readonly string[], with_: readonly string[]]>
> = {
  header: [[], ['--header', 'X-A: b']],
  'header-file': [[], ['--header-file', '/headers']],
  transport: [[], ['--transport', 'sse']],
  'allow-http': [[], ['--allow-http']],
  ca: [[], ['--ca', '/ca.pem']],
  cert: [[], ['--cert', '/c', '--key', '/k']],
  key: [[], ['--cert', '/c', '--key', '/k']],
  'no-cookies': [[], ['--no-cookies']],
  'ping-interval': [[], ['--ping-interval', '5']],
  'connect-timeout': [[], ['--connect-timeout', '5']],
  'max-message-size': [[], ['--max-message-size', '1MiB']],
  profile: [[], ['--profile', 'work']],
  scope: [[], ['--scope', 'a']],
  resource: [[], ['--resource', 'https://mcp.example/']],
  'callback-host': [[], ['--callback-host', 'localhost']],
  'callback-port': [[], ['--callback-port', '4711']],
  'callback-path': [[], ['--callback-path', '/back']],
  'auth-timeout': [[], ['--auth-timeout', '60']],
  'no-browser': [[], ['--no-browser']],
  'assume-pkce': [[], ['--assume-pkce']],
  'non-interactive': [[], ['--non-interactive']],
  interactive: [[], ['--interactive']],
  store: [[], ['--store', 'memory']],
  'store-file': [[], ['--store-file', '/url', '--store-key-file', '/key']],
  'store-key-file': [[], shared],
  'store-key-command': [[], [...shared.slice(0, 2), '--store-key-command', 'vault get']],
  'store-prefix': [shared, [...shared, '--store-prefix', 'ci']],
  'allow-plain-store': [shared, [...shared, '--allow-plain-store']],
  preset: [[], ['--preset', 'auth0']],
  'client-id': [[], client],
  'client-secret-env': [client, [...client, '--client-secret-env', 'S']],
  'client-secret-file': [client, [...client, '--client-secret-file', '/s']],
  'client-secret': [client, [...client, '--client-secret', 's']],
  'client-key': [document, [...document, '--client-key', '/k']],
  'client-key-alg': [
    [...client, '--client-key', '/k'],
    [...client, '--client-key', '/k', '--client-key-alg', 'ES256'],
  ],
  'client-metadata-url': [[], document],
  grant: [[], ['--grant', 'device_code']],
  'assertion-file': [
    ['--grant', 'jwt-bearer', '--assertion-file', '/a'],
    ['--grant', 'jwt-bearer', '--assertion-file', '/b'],
  ],
  'id-token-file': [atIdp, atIdp.map((word) => (word === '/t' ? '/u' : word))],
  'idp-client-id': [atIdp, atIdp.map((word) => (word === 'i' ? 'j' : word))],
  'idp-client-secret-env': [atIdp, [...atIdp, '--idp-client-secret-env', 'S']],
  'idp-client-secret-file': [atIdp, [...atIdp, '--idp-client-secret-file', '/s']],
  'idp-client-key': [atIdp, [...atIdp, '--idp-client-key', '/k']],
  'idp-token-endpoint': [atIdp, [...enterprise, '--idp-token-endpoint', 'https://other.example/token']],
  dpop: [[], ['--dpop', 'always']],
  issuer: [[], ['--issuer', 'https://login.example/']],
  'authorize-param': [[], ['--authorize-param', 'a=1']],
  'no-resource': [[], ['--no-resource']],
  'use-id-token': [[], ['--use-id-token']],
  'allow-tool': [[], ['--allow-tool', 'a']],
  'deny-tool': [[], ['--deny-tool', 'a']],
  'read-only': [[], ['--read-only']],
  wait: [[], ['--wait']],
  'enable-proxy': [[], ['--enable-proxy']],
  'headers-timeout': [[], ['--headers-timeout', '0']],
  'body-timeout': [[], ['--body-timeout', '0']],
  debug: [[], ['--debug']],
  silent: [[], ['--silent']],
  'log-format': [[], ['--log-format', 'json']],
  config: [
    ['--profile', 'flag'],
    ['--profile', 'flag', '--config', '/c.json'],
  ],
  home: [[], ['--home', '/elsewhere']],
  keychain: [[], ['--keychain']],
};

describe('each option affects the key as declared:', () => {
  const declared = (Object.entries(options) as [OptionName, Option][]).filter(
    ([, { only, environmentOnly, flagOnly }]) => only === undefined && !environmentOnly && !flagOnly,
  );

  test.each(declared)('--%s', (name, { login }) => {
    if (name === 'url') return expect(keyFor([], 'https://other.example/mcp')).not.toBe(keyFor([]));
    const [without = [], with_ = []] = differences[name] ?? [];
    expect(with_, `does --${name} tell logins apart? Give an example of it here`).not.toEqual(without);
    expect(keyFor(with_) !== keyFor(without), `--${name}: login: ${login}`).toBe(login === 'key');
  });
});
