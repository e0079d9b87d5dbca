import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import { entryEnvironment } from '../../../../src/install/entry/environment.ts';
import { type EntryRequest, makeEntry } from '../../../../src/install/entry/make-entry.ts';
import { isTemporary, lastingNode } from '../../../../src/install/entry/program.ts';
import { freeName, serverNameOf } from '../../../../src/install/entry/server-name.ts';

test.each([
  ['https://mcp.linear.app/sse', 'linear'],
  ['https://mcp.atlassian.com/v1/sse', 'atlassian'],
  ['https://example.com/mcp', 'example'],
  ['https://api.githubcopilot.com/mcp/', 'githubcopilot'],
  ['https://mcp.shop.example.co.uk/', 'example'],
  ['https://www.mcp.io/', 'www'],
  ['http://localhost:3000/mcp', 'local-3000'],
  ['http://127.0.0.1/mcp', 'local'],
  ['https://[::1]:8443/mcp', 'local-8443'],
  ['https://workspace.com/', 'workspacemcp'],
  ['https://xn--bcher-kva.example/', 'xn--bcher-kva'],
])('%s is called %s', (url, name) => {
  expect(serverNameOf(new URL(url))).toBe(name);
});

test('a name in use gets a number, within the length limit', () => {
  const taken = new Set(['a', 'a-2', 'b'.repeat(40)]);
  expect(freeName('a', (name) => taken.has(name))).toBe('a-3');
  expect(freeName('b'.repeat(40), (name) => taken.has(name))).toBe(`${'b'.repeat(38)}-2`);
});

describe('the stable path of Node', () => {
  test.each<[string, NodeJS.Platform, string, string | undefined]>([
    [
      'Homebrew',
      'darwin',
      '/opt/homebrew/Cellar/node@22/22.1.0/bin/node',
      '/opt/homebrew/opt/node@22/bin/node',
    ],
    [
      'Homebrew on Linux',
      'linux',
      '/home/linuxbrew/.linuxbrew/Cellar/node/24.0.0/bin/node',
      '/home/linuxbrew/.linuxbrew/opt/node/bin/node',
    ],
    ['Snap', 'linux', '/snap/node/9123/bin/node', '/snap/node/current/bin/node'],
    [
      'Scoop',
      'win32',
      'C:\\Users\\ann\\scoop\\apps\\nodejs\\22.1.0\\node.exe',
      'C:\\Users\\ann\\scoop\\apps\\nodejs\\current\\node.exe',
    ],
    ['Nix', 'linux', '/nix/store/abc-nodejs-22/bin/node', '/run/current-system/sw/bin/node'],
    ['nvm', 'linux', '/home/ann/.nvm/versions/node/v22.1.0/bin/node', undefined],
    ['the system', 'linux', '/usr/bin/node', undefined],
  ])('%s', (_, platform, execPath, lasting) => {
    const realPath = (path: string) => (path === execPath || path === lasting ? execPath : undefined);
    expect(lastingNode({ execPath, platform, realPath })).toBe(lasting ?? execPath);
    // A link that leads to another version is not taken.
    expect(
      lastingNode({ execPath, platform, realPath: (path) => (path === execPath ? path : '/other') }),
    ).toBe(execPath);
  });

  test('resolves the shim of a version manager', () => {
    const shim = '/home/ann/.local/state/fnm_multishells/1_2/bin/node';
    const real = '/home/ann/.local/share/fnm/node-versions/v22.1.0/installation/bin/node';
    expect(lastingNode({ execPath: shim, platform: 'linux', realPath: () => real })).toBe(real);
  });
});

test.each<[string, boolean]>([
  ['/home/ann/.npm/_npx/0a1b2c/node_modules/mcp-drawbridge/dist/launch.cjs', true],
  [
    'C:\\Users\\ann\\AppData\\Local\\npm-cache\\_npx\\0a\\node_modules\\mcp-drawbridge\\dist\\launch.cjs',
    true,
  ],
  ['/tmp/bunx-1000-mcp-drawbridge@latest/node_modules/mcp-drawbridge/dist/launch.cjs', true],
  ['/home/ann/.cache/pnpm/dlx-1234/node_modules/mcp-drawbridge/dist/launch.cjs', true],
  ['/usr/lib/node_modules/mcp-drawbridge/dist/launch.cjs', false],
  ['/home/ann/work/mcp-drawbridge/dist/launch.cjs', false],
])('%s may be emptied at any time: %s', (script, expected) => {
  expect(isTemporary(script)).toBe(expected);
});

describe('the environment of an entry', () => {
  const shell = {
    HTTPS_PROXY: 'http://proxy:3128',
    HTTP_PROXY: 'http://ann:s3cr3t@proxy:3128',
    SSL_CERT_FILE: '/ca.pem',
    DISPLAY: ':0',
    XAUTHORITY: '/x',
    XDG_DATA_HOME: '/data',
    MCP_DRAWBRIDGE_TOKEN: 's3cr3t',
    OTHER: 'x',
  };

  test('contains nothing for a host that passes everything on', () => {
    expect(entryEnvironment('all', shell, ['CLIENT_SECRET'], 'linux')).toEqual({
      env: {},
      variables: [],
      notes: [],
    });
  });

  test('contains names, never values, for a host with a list', () => {
    const found = entryEnvironment('listed', shell, ['CLIENT_SECRET'], 'linux');
    expect(found.env).toEqual({});
    expect(found.variables).toEqual(
      expect.arrayContaining([
        'DISPLAY',
        'WAYLAND_DISPLAY',
        'HTTPS_PROXY',
        'HTTP_PROXY',
        'SSL_CERT_FILE',
        'CLIENT_SECRET',
      ]),
    );
    expect(found.variables).not.toContain('OTHER');
    expect(found.variables).not.toContain('MCP_DRAWBRIDGE_TOKEN');
    expect(entryEnvironment('listed', shell, [], 'darwin').variables).not.toContain('DISPLAY');
  });

  test('contains references for a host that withholds suspicious names', () => {
    const { env } = entryEnvironment('unsuspicious', shell, ['CLIENT_SECRET'], 'linux');
    expect(env).toEqual({
      CLIENT_SECRET: '$CLIENT_SECRET',
      SSL_CERT_FILE: '$SSL_CERT_FILE',
      XAUTHORITY: '$XAUTHORITY',
    });
  });

  test('contains values for a desktop application, but no password, and says so', () => {
    const { env, notes } = entryEnvironment('desktop', shell, ['CLIENT_SECRET'], 'linux');
    expect(env).toEqual({ HTTPS_PROXY: 'http://proxy:3128', SSL_CERT_FILE: '/ca.pem' });
    expect(notes).toEqual([expect.stringContaining('HTTP_PROXY'), expect.stringContaining('CLIENT_SECRET')]);
    expect(JSON.stringify(notes)).not.toContain('s3cr3t');
  });
});

describe('the command of an entry', () => {
  const base: EntryRequest = {
    starter: { kind: 'script', node: '/n', flags: ['--use-system-ca'], script: '/s' },
    words: ['https://example.com/mcp'],
    variables: [],
    shell: {},
    platform: 'win32',
  };

  test('has absolute paths, then address, options, private settings and the folder of the logins', () => {
    const { entry } = makeEntry({ ...base, settingsFile: '/p.json', home: '/h' }, { passes: 'all' });
    expect([entry.command, ...entry.args]).toEqual([
      '/n',
      '--use-system-ca',
      '/s',
      'https://example.com/mcp',
      '--config',
      '/p.json',
      '--home',
      '/h',
    ]);
  });

  test('runs npx through cmd on Windows, except for hosts that start batch files', () => {
    const npx = { ...base, starter: { kind: 'npx' } } as const;
    const words = (request: EntryRequest, startsBatchFiles: boolean) => {
      const { entry } = makeEntry(request, { passes: 'all', startsBatchFiles });
      return [entry.command, ...entry.args].join(' ');
    };
    expect(words(npx, false)).toBe('cmd /c npx -y mcp-drawbridge https://example.com/mcp');
    expect(words(npx, true)).toBe('npx -y mcp-drawbridge https://example.com/mcp');
    expect(words({ ...npx, platform: 'darwin' }, false)).toBe(
      'npx -y mcp-drawbridge https://example.com/mcp',
    );
  });
});

describe('the settings of an entry', () => {
  const entryOf = (argv: readonly string[], env: Record<string, string> = {}) => {
    const parsed = loadConfig(['install', ...argv], env, () => '{"wait":true}');
    if (parsed.command !== 'install') throw new Error(parsed.command);
    return parsed.config.install.entry;
  };

  test('contain options, also from the environment; `--host` belongs to the command', () => {
    const argv = [
      'https://example.com/mcp',
      '--host',
      'cursor',
      '--scope',
      'a b',
      '--deny-tool',
      'x*',
      '--name',
      'n',
      '--yes',
    ];
    expect(entryOf(argv, { MCP_DRAWBRIDGE_PROFILE: 'work', MCP_DRAWBRIDGE_HOME: '/h' })).toEqual({
      words: ['https://example.com/mcp', '--profile', 'work', '--scope', 'a b', '--deny-tool', 'x*'],
      secrets: {},
      variables: [],
    });
  });

  test('separate possible secrets', () => {
    const url = 'https://example.com/mcp?key=0123456789abcdef';
    const argv = [
      url,
      '--header',
      'Authorization: Bearer s3cr3t',
      '--header',
      'X-Key: ${KEY}',
      '--header',
      'X-Region: eu',
      '--client-id',
      'i',
      '--client-secret',
      's',
    ];
    expect(entryOf(argv, { KEY: 'k' })).toEqual({
      words: ['--client-id', 'i', '--header', 'X-Key:${KEY}', '--header', 'X-Region:eu'],
      secrets: { url, header: ['Authorization: Bearer s3cr3t'], 'client-secret': 's' },
      variables: ['KEY'],
    });
  });

  test('keep a --config file, and put no secret next to it', () => {
    expect(entryOf(['https://example.com/mcp', '--config', '/c.json']).words).toEqual([
      'https://example.com/mcp',
      '--config',
      '/c.json',
    ]);
    expect(() =>
      entryOf(['https://example.com/mcp', '--config', '/c.json', '--header', 'Cookie: s3cr3t']),
    ).toThrow(/secrets must not be in the file of a host/);
  });

  test.each<[readonly string[], RegExp]>([
    [['install'], /address of the MCP server is missing/],
    [['install', 'https://example.com/mcp', '--host', 'Cursor!'], /expected the id of a host/],
    [['install', 'https://example.com/mcp', '--name', 'my server'], /--name: expected letters/],
    [['install', 'https://example.com/mcp', '--name', 'workspace'], /--name: expected letters/],
    [['install', '--replace', 'supergateway'], /expected mcp-remote/],
    [['uninstall'], /what to uninstall is missing/],
    [['uninstall', 'a', 'b'], /too many arguments/],
    [['hosts', 'x'], /hosts takes no arguments/],
    [['login', 'https://example.com/mcp', '--npx'], /only valid with the command install/],
  ])('%j is refused', (argv, message) => {
    expect(() => loadConfig(argv, {}, () => '')).toThrow(message);
  });

  test('elsewhere --host is that of the redirect address, as with mcp-remote', () => {
    expect(loadConfig(['https://example.com/mcp', '--host', 'localhost'], {}, () => '')).toMatchObject({
      config: { oauth: { callback: { host: 'localhost' } } },
    });
  });
});
