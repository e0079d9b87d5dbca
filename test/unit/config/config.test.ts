import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import type { DrawbridgeError } from '../../../src/errors.ts';

const URL_TEXT = 'https://example.com/mcp';
const CANARY = 's3cr3t-canary';

type World = { readonly env?: Record<string, string>; readonly files?: Record<string, unknown> };

function load(argv: readonly string[], { env = {}, files = {} }: World = {}) {
  const readFile = (path: string) => {
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT: ${path}`);
    return typeof content === 'string' ? content : JSON.stringify(content);
  };
  // A desktop; what Linux makes of its environment is a table of its own.
  return loadConfig(argv, env, readFile);
}

function bridge(argv: readonly string[], world?: World) {
  const parsed = load(argv, world);
  if (parsed.command !== 'bridge') throw new Error(`got the command ${parsed.command}`);
  return parsed;
}

function failure(argv: readonly string[], world?: World): DrawbridgeError {
  try {
    load(argv, world);
  } catch (error) {
    return error as DrawbridgeError;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

test('an address alone gives the defaults', () => {
  expect(bridge([URL_TEXT])).toEqual({
    command: 'bridge',
    warnings: [],
    config: {
      server: new URL(URL_TEXT),
      oauth: {
        profile: 'default',
        grant: 'authorization_code',
        noResource: false,
        scopeOnTokenRequests: false,
        audienceFromResource: false,
        useIdToken: false,
        dpop: 'auto',
        tenantIssuer: false,
        assumePkce: false,
        authorizeParams: [],
        callback: { host: '127.0.0.1', path: '/callback' },
      },
      loginCommand: { words: [URL_TEXT], notes: [] },
      allowHttp: false,
      headers: [],
      staticAuthorization: false,
      transport: 'auto',
      authTimeoutMs: 300_000,
      wait: false,
      openBrowser: true,
      cookies: true,
      store: { kind: 'file' },
      maxMessageBytes: 33_554_432,
      connectTimeoutMs: 10_000,
      log: { debug: false, silent: false, format: 'text' },
    },
  });
});

describe('each option by flag, environment and file', () => {
  const cases: readonly [name: string, text: string | boolean, part: Record<string, unknown>][] = [
    ['transport', 'http-first', { transport: 'auto' }],
    ['transport', 'http-only', { transport: 'http' }],
    ['transport', 'sse-only', { transport: 'sse' }],
    ['transport', 'sse-first', { transport: 'sse-first' }],
    ['ping-interval', '30', { pingIntervalMs: 30_000 }],
    ['disable-cookies', true, { cookies: false }],
    ['allow-http', true, { allowHttp: true }],
    ['ca', '/etc/ca.pem', { caFile: '/etc/ca.pem' }],
    ['connect-timeout', '2.5', { connectTimeoutMs: 2500 }],
    ['max-message-size', '64MiB', { maxMessageBytes: 67_108_864 }],
    ['max-message-size', '65536', { maxMessageBytes: 65_536 }],
    ['profile', 'work', { oauth: { profile: 'work' } }],
    ['scope', 'a b', { oauth: { scope: 'a b' } }],
    ['resource', 'https://Example.com/MCP/', { oauth: { resource: 'https://Example.com/MCP/' } }],
    ['callback-host', 'localhost', { oauth: { callback: { host: 'localhost', path: '/callback' } } }],
    ['host', '::1', { oauth: { callback: { host: '[::1]', path: '/callback' } } }],
    ['callback-port', '3334', { oauth: { callback: { host: '127.0.0.1', port: 3334, path: '/callback' } } }],
    [
      'callback-path',
      '/oauth/callback',
      { oauth: { callback: { host: '127.0.0.1', path: '/oauth/callback' } } },
    ],
    ['auth-timeout', '60', { authTimeoutMs: 60_000 }],
    ['no-browser', true, { openBrowser: false }],
    ['assume-pkce', true, { oauth: { assumePkce: true } }],
    ['wait', true, { wait: true }],
    ['debug', true, { log: { debug: true, silent: false, format: 'text' } }],
    ['silent', true, { log: { debug: false, silent: true, format: 'text' } }],
    ['log-format', 'json', { log: { debug: false, silent: false, format: 'json' } }],
    ['home', '/srv/home', { home: '/srv/home' }],
    ['enable-proxy', true, {}],
    ['body-timeout', '0', {}],
    ['header', 'X-A: b', { headers: [['X-A', 'b']] }],
  ];
  test.each(cases)('%s = %s', (name, value, part) => {
    const variable = `MCP_DRAWBRIDGE_${name.toUpperCase().replaceAll('-', '_')}`;
    const flags =
      value === true ? [[`--${name}`], [`--${name}=true`]] : [[`--${name}`, value], [`--${name}=${value}`]];
    for (const flag of flags) expect(bridge([...(flag as string[]), URL_TEXT]).config).toMatchObject(part);
    expect(bridge([URL_TEXT], { env: { [variable]: String(value) } }).config).toMatchObject(part);
    const files = { '/c.json': { [name]: value } };
    expect(bridge([URL_TEXT, '--config', '/c.json'], { files }).config).toMatchObject(part);
  });
});

describe('precedence', () => {
  const files = {
    '/c.json': { url: 'https://file.example/mcp', scope: 'file', profile: 'file', debug: true, wait: true },
  };
  const env = {
    MCP_DRAWBRIDGE_CONFIG: '/c.json',
    MCP_DRAWBRIDGE_SCOPE: 'env',
    MCP_DRAWBRIDGE_PROFILE: 'env',
  };

  test('flag over environment over file over default', () => {
    const { config } = bridge(['--scope', 'flag', '--debug=false'], { env, files });
    expect(config).toMatchObject({
      oauth: { scope: 'flag', profile: 'env' },
      wait: true,
      allowHttp: false,
    });
    expect(config.server.href).toBe('https://file.example/mcp');
    expect(config.log.debug).toBe(false);
  });

  test('headers add up by name, the stronger source wins, a header over a header file of the same source', () => {
    const { config } = bridge(
      [URL_TEXT, '--header', 'x-a: flag', '--header', 'X-Key:k', '--header-file', '/h'],
      {
        env: { MCP_DRAWBRIDGE_HEADER: 'X-A: env\nX-B: env', MCP_DRAWBRIDGE_CONFIG: '/c.json' },
        files: {
          '/c.json': { header: ['X-A: file', 'X-C: file'] },
          '/h': '# comment\r\nX-B: from file \r\n\r\nX-Key: lost\n',
        },
      },
    );
    expect(config.headers).toEqual([
      ['x-a', 'flag'],
      ['X-C', 'file'],
      ['X-B', 'from file'],
      ['X-Key', 'k'],
    ]);
  });

  test('an empty variable counts as absent', () => {
    expect(bridge([URL_TEXT], { env: { MCP_DRAWBRIDGE_SCOPE: '' } }).config).not.toHaveProperty('scope');
  });

  test('paths: ~ is the home folder, and paths in a config file are relative to it', () => {
    const { config } = bridge([URL_TEXT, '--config', '~/d/c.json', '--home', '~/h'], {
      env: { HOME: '/home/me' },
      files: {
        '/home/me/d/c.json': { ca: 'ca.pem', 'header-file': ['h.txt'] },
        '/home/me/d/h.txt': 'X-A: b',
      },
    });
    expect(config).toMatchObject({
      caFile: '/home/me/d/ca.pem',
      home: '/home/me/h',
      headers: [['X-A', 'b']],
    });
  });
});

test.each([
  [['--help'], 'help'],
  [['-h'], 'help'],
  [['help'], 'help'],
  [[URL_TEXT, '--nonsense', '--help'], 'help'],
  [['--version'], 'version'],
  [['-v'], 'version'],
])('%j asks for %s', (argv, command) => {
  expect(load(argv)).toMatchObject({ command });
});

test.each<[readonly string[], readonly string[]]>([
  [['--help'], []],
  [[URL_TEXT, '--help'], []],
  [['--profile', 'all', '--help'], []],
  [['help', 'all'], ['all']],
  [['--help', 'options'], ['all']],
  [['login', URL_TEXT, '--help'], ['login']],
  [['help', 'tokens', 'import'], ['tokens import']],
  [
    ['tokens', '-h'],
    ['tokens export', 'tokens import'],
  ],
])('%j is help on %j', (argv, topics) => {
  expect(load(argv)).toEqual({ command: 'help', topics });
});

test('accepts URL and PORT like mcp-remote', () => {
  const { config } = bridge([URL_TEXT, '9696', '--host', 'localhost', '--callback-path', '/x']);
  expect(config.oauth.callback).toEqual({ host: 'localhost', port: 9696, path: '/x' });
});

test('an argument after -- is not a flag', () => {
  expect(bridge(['--wait', '--', URL_TEXT]).config.server.href).toBe(URL_TEXT);
});

describe('addresses', () => {
  test.each([
    ['http://localhost:3000/mcp', []],
    ['http://127.0.0.2/', []],
    ['http://[::1]:8080/mcp', []],
    ['http://internal.example/mcp', ['--allow-http']],
    ['https://example.com/mcp?key=1', []],
  ])('accepts %s %j', (url, flags) => {
    expect(bridge([url, ...flags]).config.server.href).toBe(url);
  });

  test.each([
    ['http://example.com/mcp', 'plain http', '--allow-http'],
    ['http://localhost.example.com/', 'plain http', '--allow-http'],
    [`https://me:${CANARY}@example.com/`, 'without a user name', undefined],
    [`https://${CANARY}@example.com/`, 'without a user name', undefined],
    ['https://example.com/mcp#part', 'without a fragment', undefined],
    ['https://example.com/#', 'without a fragment', undefined],
    ['ftp://example.com/', 'starts with https://', undefined],
    ['file:///etc/passwd', 'starts with https://', undefined],
    ['javascript:alert(1)', 'starts with https://', undefined],
    ['https://exa mple.com/', 'expected the address', undefined],
    [' https://example.com/', 'without spaces', undefined],
    ['https://', 'expected the address', undefined],
    ['example.com/mcp', 'expected the address', 'did you mean https://example.com/mcp?'],
    ['localhost:3000/mcp', 'expected the address', undefined],
  ])('refuses %s', (url, message, hint) => {
    const error = failure([url]);
    expect(error.code).toBe('usage');
    expect(error.message).toContain(message);
    expect(error.hint ?? '').toContain(hint ?? '');
    expect(`${error.message} ${error.hint}`).not.toContain(CANARY);
  });

  test('no address at all', () => {
    expect(failure([])).toMatchObject({ code: 'usage', message: expect.stringContaining('missing') });
  });
});

describe('errors name the source, what was expected, the value and the nearest name', () => {
  test.each<[argv: string[], message: string, hint?: string]>([
    [['--alow-http'], 'unknown flag "--alow-http"', 'did you mean --allow-http?'],
    [['--headers', 'A: b'], 'unknown flag "--headers"', 'did you mean --header?'],
    [['--timeout', '3'], 'unknown flag "--timeout"'],
    [['-scope', 'a'], 'unknown flag "-scope"', 'did you mean --scope?'],
    [['--qqqqqqqqqqqq'], 'unknown flag "--qqqqqqqqqqqq"', 'see --help for all flags'],
    [['--scope'], '--scope needs a value'],
    [['--scope', '--debug'], '--scope needs a value'],
    [
      ['--client-id', '-3fX'],
      '--client-id needs a value: --client-id ID',
      'if the value begins with a dash, write --client-id=ID, with the equals sign',
    ],
    [['--scope', 'a', '--scope', 'b'], '--scope was given twice'],
    [['--url', URL_TEXT], 'URL was given twice'],
    [['--auth-timeout', '5m'], '--auth-timeout: expected seconds, from 1 to 86400; got "5m"'],
    [['--auth-timeout', '0'], '--auth-timeout: expected seconds, from 1 to 86400; got "0"'],
    [['--auth-timeout', '1e9'], '--auth-timeout: expected seconds'],
    [['--body-timeout', '30'], '--body-timeout: expected 0'],
    [['--max-message-size', '1'], '--max-message-size: expected bytes, from 64 KiB to 1024 MiB'],
    [['--max-message-size', '9999GiB'], '--max-message-size: expected bytes'],
    [
      ['--transport', 'carrier-pigeon'],
      '--transport: expected auto, http-first, http, http-only, sse, sse-only, sse-first; got "carrier-pigeon"',
    ],
    [['--transport', 'toString'], '--transport: expected auto'],
    [['--cert', 'a.pem'], '--cert and --key only work together'],
    [['--key', 'a.pem'], '--cert and --key only work together'],
    [['--host', 'example.com'], '--host: expected 127.0.0.1, localhost or [::1]; got "example.com"'],
    [['70000'], 'PORT: expected a port, from 1 to 65535; got "70000"'],
    [['80', 'more'], 'too many arguments: expected URL and PORT, got "more" as well'],
    [['--callback-path', 'callback'], '--callback-path: expected a path'],
    [['--callback-path', '/a/../b'], '--callback-path: expected a path'],
    [['--callback-path', '//evil.example'], '--callback-path: expected a path'],
    [['--callback-path', '/a?b'], '--callback-path: expected a path'],
    [['--profile', '../x'], '--profile: expected a name'],
    [['--scope', 'a  b'], '--scope: expected scopes'],
    [['--scope', 'a\u001b[31m'], '--scope: expected scopes'],
    [['--resource', ''], '--resource: expected an absolute URI'],
    [['--resource', 'https://a/#f'], '--resource: expected an absolute URI'],
    [['--debug=maybe'], '--debug: expected true or false; got "maybe"'],
    [['--config', '/none.json'], '--config: cannot be read: ENOENT'],
    [['--header-file', '/none'], '--header-file: cannot be read: ENOENT'],
  ])('%j', (argv, message, hint) => {
    const error = failure([URL_TEXT, ...argv]);
    expect(error.code).toBe('usage');
    expect(error.message).toContain(message);
    if (hint !== undefined) expect(error.hint).toBe(hint);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  test.each([
    ['{"scop":"a"}', '"scop" in "/c.json" is not an option', 'did you mean "scope"?'],
    ['{"config":"/d.json"}', '"config" in "/c.json" is not an option', undefined],
    ['{"help":true}', '"help" in "/c.json" is not an option', undefined],
    ['{"__proto__":{"wait":true}}', 'is not an option', undefined],
    ['{"wait":"yes"}', '"wait" in "/c.json": expected true or false', undefined],
    ['{"header":{"A":"b"}}', '"header" in "/c.json": expected a string or an array of strings', undefined],
    ['{"scope":["a"]}', '"scope" in "/c.json": expected a string or a number', undefined],
    ['{"auth-timeout":-1}', '"auth-timeout" in "/c.json": expected seconds', undefined],
    ['[]', '"/c.json": expected one JSON object', undefined],
    [`{"header":"A: ${CANARY}",\n}`, '"/c.json" is not valid JSON', undefined],
    [`${CANARY}`, '"/c.json" is not valid JSON', undefined],
  ])('file %s', (text, message, hint) => {
    const error = failure([URL_TEXT, '--config', '/c.json'], { files: { '/c.json': text } });
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining(message) });
    if (hint !== undefined) expect(error.hint).toBe(hint);
    expect(`${error.message} ${error.hint} ${error.cause}`).not.toContain(CANARY);
  });

  test('environment', () => {
    expect(failure([URL_TEXT], { env: { MCP_DRAWBRIDGE_AUTH_TIMEOUT: 'x' } })).toMatchObject({
      code: 'config',
      message: 'MCP_DRAWBRIDGE_AUTH_TIMEOUT: expected seconds, from 1 to 86400; got "x"',
    });
    expect(failure([URL_TEXT], { env: { MCP_DRAWBRIDGE_KEEP_ALIVE: CANARY } }).message).toBe(
      'MCP_DRAWBRIDGE_KEEP_ALIVE is not supported yet',
    );
    expect(bridge([URL_TEXT], { env: { MCP_DRAWBRIDGE_SCOPES: 'a' } }).warnings).toEqual([
      expect.stringContaining('did you mean MCP_DRAWBRIDGE_SCOPE?'),
    ]);
  });
});

describe('an unsupported option is refused by name', () => {
  const mcpRemote = [
    'auth-success-url',
    'client-credentials',
    'device-code',
    'ipv4',
    'keep-alive',
    'protocol',
    'static-oauth-client-info',
    'static-oauth-client-metadata',
    'token-endpoint',
  ];
  test.each(mcpRemote)('--%s', (name) => {
    expect(failure([URL_TEXT, `--${name}`, CANARY]).message).toBe(`--${name} is not supported yet`);
    expect(failure([URL_TEXT, `--${name}=${CANARY}`]).message).toBe(`--${name} is not supported yet`);
  });

  test('a misspelt command is recognized', () => {
    expect(failure(['logn', URL_TEXT]).hint).toContain('login');
  });
});
