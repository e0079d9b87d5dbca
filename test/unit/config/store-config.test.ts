import { describe, expect, test } from 'vitest';
import { settingSecrets } from '../../../src/compose/settings/setting-secrets.ts';
import { type CommandConfig, loadConfig, type ParsedCommand } from '../../../src/config/config.ts';
import type { DrawbridgeError } from '../../../src/errors.ts';
import { nextStoreKey } from '../../../src/protocol/store/store-key.ts';

const SERVER = 'https://mcp.example/mcp';
const FIRST = Buffer.alloc(32, 1);
const SECOND = Buffer.from(nextStoreKey(FIRST, Buffer.alloc(32, 2)));
const KEY = FIRST.toString('base64');
const PASSWORD = 's3cr3t-canary';

type World = {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly modes?: Readonly<Record<string, number>>;
};

function parse(argv: readonly string[], { env = {}, files = {}, modes = {} }: World = {}): ParsedCommand {
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
  return loadConfig(argv, env, read, (path) => modes[path]);
}

function load(argv: readonly string[], world: World = {}) {
  const parsed = parse([SERVER, ...argv], world);
  if (parsed.command !== 'bridge') throw new Error(`got the command ${parsed.command}`);
  return parsed;
}

function failure(argv: readonly string[], world: World = {}): DrawbridgeError {
  try {
    parse([SERVER, ...argv], world);
  } catch (error) {
    return error as DrawbridgeError;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

const withKey: World = { env: { MCP_DRAWBRIDGE_STORE_KEY: KEY } };
const addressOf = (text: string, ...more: string[]) => {
  const { store } = load(['--store', text, ...more], withKey).config;
  return store.kind === 'shared' ? store.url : store.kind;
};

test("a file is the default; memory, and the file's former name, are still accepted", () => {
  expect(load([]).config.store).toEqual({ kind: 'file' });
  expect(load(['--store', 'file']).config.store).toEqual({ kind: 'file' });
  expect(load(['--store', 'disk']).config.store).toEqual({ kind: 'file' });
  expect(load(['--store', 'memory']).config.store).toEqual({ kind: 'memory' });
});

describe('the address of an engine', () => {
  test.each([
    ['rediss://store.example', 'rediss://store.example'],
    ['rediss://store.example:6380/2', 'rediss://store.example:6380/2'],
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1'],
    ['redis://localhost', 'redis://localhost'],
    ['redis://[::1]:6380', 'redis://[::1]:6380'],
    ['valkeys://store.example', 'rediss://store.example'],
    ['valkey://localhost', 'redis://localhost'],
    ['REDISS://store.example', 'rediss://store.example'],
    [
      'rediss+sentinel://a.example,b.example:26380/mymaster',
      'rediss+sentinel://a.example,b.example:26380/mymaster',
    ],
    [
      'redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster/3',
      'redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster/3',
    ],
    ['rediss://user:pa%40ss@store.example', 'rediss://user:pa%40ss@store.example'],
    [
      'rediss://store.example?ca=/ca.pem&cert=/c.pem&key=/k.pem',
      'rediss://store.example?ca=%2Fca.pem&cert=%2Fc.pem&key=%2Fk.pem',
    ],
  ])('%s', (text, url) => expect(addressOf(text)).toBe(url));

  test('a file named in it is found from any folder', () => {
    expect(addressOf('rediss://store.example?ca=ca.pem')).toBe(
      `rediss://store.example?ca=${encodeURIComponent(`${process.cwd()}/ca.pem`)}`,
    );
  });

  test.each([
    ['postgres://store.example/db', 'redis://, rediss://, redis+sentinel:// or rediss+sentinel://'],
    ['store.example:6379', 'expected file, memory or an address'],
    ['sqlite', 'expected file, memory or an address'],
    ['rediss://', 'a host'],
    ['rediss://a.example,b.example', 'one host'],
    ['rediss://store.example:0', 'a port'],
    ['rediss://store.example:70000', 'a port'],
    ['rediss://store.example/name', 'the number of a database'],
    ['rediss+sentinel://store.example', 'the name that the Sentinels give'],
    ['rediss://store.example?tls=no', 'ca, cert, key'],
    ['rediss://store.example?cert=/c.pem', 'cert and key together'],
    ['redis://localhost?ca=/ca.pem', 'rediss://'],
    ['rediss://store.example#1', 'without a fragment'],
    [`rediss://user:%zz${PASSWORD}@store.example`, 'percent-encoded'],
  ])('%s is refused', (text, expected) => {
    const { message, code } = failure(['--store', text], withKey);
    expect(code).toBe('usage');
    expect(message).toContain('--store');
    expect(message).toContain(expected);
    expect(message).not.toContain(PASSWORD);
  });

  test('without TLS, only this machine is accepted, unless the user allows others', () => {
    for (const text of ['redis://store.example', 'redis+sentinel://127.0.0.1,store.example/m']) {
      const { message, hint } = failure(['--store', text], withKey);
      expect(message).toContain('store.example');
      expect(hint).toContain('--allow-plain-store');
    }
    expect(addressOf('redis://store.example', '--allow-plain-store')).toBe('redis://store.example');
  });

  test('warns about a password among the arguments, not in the environment or a file', () => {
    const url = `rediss://user:${PASSWORD}@store.example`;
    const { warnings } = load(['--store', url], withKey);
    expect(warnings).toEqual([expect.stringContaining('--store-file')]);
    expect(warnings[0]).not.toContain(PASSWORD);
    expect(load([], { env: { ...withKey.env, MCP_DRAWBRIDGE_STORE: url } }).warnings).toEqual([]);
    const files = { '/url': `${url}\n` };
    const fromFile = load(['--store-file', '/url'], { ...withKey, files });
    expect(fromFile.warnings).toEqual([]);
    expect(fromFile.config.store).toMatchObject({ kind: 'shared', url });
  });

  test('the stronger source wins, and two values of the same one contradict', () => {
    const world: World = {
      env: { ...withKey.env, MCP_DRAWBRIDGE_STORE_FILE: '/url' },
      files: { '/url': 'rediss://a.example' },
    };
    expect(load(['--store', 'file'], world).config.store).toEqual({ kind: 'file' });
    expect(load(['--store', 'rediss://b.example'], world).config.store).toMatchObject({
      url: 'rediss://b.example',
    });
    expect(failure(['--store', 'rediss://b.example', '--store-file', '/url'], world).message).toContain(
      '--store-file',
    );
  });

  test('names a file without one, and does not quote it', () => {
    const files = { '/url': `ftp://${PASSWORD}@x` };
    const { message, code } = failure(['--store-file', '/url'], { ...withKey, files });
    expect(message).toContain('/url');
    expect(message).not.toContain(PASSWORD);
    expect(code).toBe('usage');
    expect(failure(['--store-file', '/none'], withKey).message).toContain('/none');
  });
});

describe('keys', () => {
  const shared = ['--store', 'rediss://store.example'];
  const keysOf = (argv: readonly string[], world?: World) => {
    const { store } = load([...shared, ...argv], world).config;
    return store.kind === 'shared' && store.keys.kind === 'secrets'
      ? store.keys.secrets.map((each) => Buffer.from(each))
      : store;
  };

  test.each([
    ['base64', KEY],
    ['base64 for addresses', FIRST.toString('base64url')],
    ['hex', FIRST.toString('hex')],
    ['with a line break', `${KEY}\n`],
  ])('%s', (_, text) => {
    expect(keysOf([], { env: { MCP_DRAWBRIDGE_STORE_KEY: text } })).toEqual([FIRST]);
    expect(keysOf(['--store-key-file', '/k'], { files: { '/k': text } })).toEqual([FIRST]);
  });

  test.each([
    ['base64', SECOND.toString('base64')],
    ['base64 without padding', SECOND.toString('base64url')],
    ['hex', SECOND.toString('hex').toUpperCase()],
  ])('of 64 bytes, as made by `store key --add`: %s', (_, text) => {
    expect(keysOf([], { env: { MCP_DRAWBRIDGE_STORE_KEY: text } })).toEqual([SECOND]);
  });

  test('several: the first one seals', () => {
    const text = `# since November\n${SECOND.toString('hex')}\n\n${KEY}\n`;
    expect(keysOf(['--store-key-file', '/k'], { files: { '/k': text } })).toEqual([SECOND, FIRST]);
    const list = `${SECOND.toString('base64')},${KEY}`;
    expect(keysOf([], { env: { MCP_DRAWBRIDGE_STORE_KEY: list } })).toEqual([SECOND, FIRST]);
  });

  test('rejects keys of different stores: logins would have two names', () => {
    const other = Buffer.alloc(32, 3).toString('hex');
    const { message } = failure([...shared, '--store-key-file', '/k'], {
      files: { '/k': `${KEY}\n${other}` },
    });
    expect(message).toContain('keys of one store');
    expect(message).toContain('store key --add');
    expect(message).not.toContain(other);
  });

  test('splits a key command into words, without a shell', () => {
    const { store } = load([...shared, '--store-key-command', `"/opt/my tool" get 'a b' --x=$HOME`]).config;
    expect(store).toMatchObject({
      keys: { kind: 'command', words: ['/opt/my tool', 'get', 'a b', '--x=$HOME'] },
    });
    expect(failure([...shared, '--store-key-command', `tool 'a`]).message).toContain('quote');
    expect(failure([...shared, '--store-key-command', ' ']).message).toContain('a program');
  });

  test('without a key there is no shared store', () => {
    const { message, hint, code } = failure(shared);
    expect(message).toContain('key');
    expect(hint).toContain('store key');
    expect(hint).toContain('--store-key-file');
    expect(code).toBe('usage');
  });

  test.each([
    '',
    '# only a comment',
    PASSWORD,
    KEY.slice(4),
    `${KEY} ${PASSWORD}`,
    FIRST.toString('hex').slice(2),
    `${KEY}=`,
    SECOND.toString('base64').slice(0, -1),
  ])('does not quote an invalid key: %s', (text) => {
    const { message } = failure([...shared, '--store-key-file', '/k'], { files: { '/k': text } });
    expect(message).toContain('/k');
    expect(message).toContain('32 bytes');
    expect(message).not.toContain(PASSWORD);
  });

  test('rejects keys given twice', () => {
    const files = { '/k': KEY };
    expect(
      failure([...shared, '--store-key-file', '/k', '--store-key-command', 'x'], { files }).message,
    ).toContain('--store-key-command');
    expect(
      keysOf(['--store-key-file', '/k'], {
        files,
        env: { MCP_DRAWBRIDGE_STORE_KEY: SECOND.toString('hex') },
      }),
    ).toEqual([FIRST]);
  });

  test('refuses a key as a flag: arguments are visible to others', () => {
    expect(failure([...shared, '--store-key', KEY]).message).toContain('secret');
  });

  test('keys or a prefix without a shared store are an error only on the command line', () => {
    expect(failure(['--store-key-command', 'x']).message).toContain('--store');
    expect(failure(['--store-prefix', 'x']).message).toContain('--store');
    expect(load([], withKey).config.store).toEqual({ kind: 'file' });
  });

  test('refuses a file that others may change, and warns about one that they may read', () => {
    const world = (mode: number): World => ({ files: { '/k': KEY }, modes: { '/k': mode } });
    const argv = [...shared, '--store-key-file', '/k'];
    expect(load(argv, world(0o600)).warnings).toEqual([]);
    expect(load(argv, world(0o640)).warnings).toEqual([]);
    expect(load(argv, world(0o644)).warnings).toEqual([expect.stringContaining('chmod 600')]);
    expect(failure(argv, world(0o666)).message).toContain('0666');
    expect(failure(argv, world(0o620)).message).toContain('0620');
  });
});

test('the prefix of the cells', () => {
  const shared = ['--store', 'rediss://store.example'];
  expect(load(shared, withKey).config.store).toMatchObject({ prefix: 'mcp-drawbridge' });
  expect(load([...shared, '--store-prefix', 'team:ci'], withKey).config.store).toMatchObject({
    prefix: 'team:ci',
  });
  expect(failure([...shared, '--store-prefix', 'a b'], withKey).message).toContain('--store-prefix');
});

describe('the behaviour of bridges', () => {
  const url = `rediss://user:${PASSWORD}@store.example`;
  const world: World = { env: { MCP_DRAWBRIDGE_STORE: url, MCP_DRAWBRIDGE_STORE_KEY: KEY } };

  test('the suggested command names the store without its password, and never the key', () => {
    const { words, notes } = load([], world).config.loginCommand;
    expect(words).toEqual([SERVER, '--store', 'rediss://user@store.example']);
    expect(notes.join()).toContain('password');
    expect(notes.join()).toContain('MCP_DRAWBRIDGE_STORE_KEY');
    expect(JSON.stringify([words, notes])).not.toMatch(new RegExp(`${PASSWORD}|${KEY.slice(0, 20)}`));
    const files = { '/url': url, '/k': KEY };
    const fromFiles = load(['--store-file', '/url', '--store-key-file', '/k', '--store-prefix', 'ci'], {
      files,
    });
    expect(fromFiles.config.loginCommand).toEqual({
      words: [SERVER, '--store-file', '/url', '--store-key-file', '/k', '--store-prefix', 'ci'],
      notes: [],
    });
  });

  test('open no browser by themselves: a tab on one of many machines helps nobody', () => {
    expect(load([], world).config.nonInteractiveReason).toBe('shared-store');
    expect(load(['--interactive'], world).config.nonInteractiveReason).toBeUndefined();
    expect(load(['--store', 'memory'], world).config.nonInteractiveReason).toBeUndefined();
    const login = parse(['login', SERVER], world) as { config: CommandConfig };
    expect(login.config.nonInteractiveReason).toBeUndefined();
    const ci = parse(['login', SERVER], { env: { ...world.env, CI: '1' } }) as { config: CommandConfig };
    expect(ci.config.nonInteractiveReason).toBe('ci');
  });

  test('any of them may show a device code, and none opens its page', () => {
    const { config } = load(['--grant', 'device_code'], world);
    expect(config.nonInteractiveReason).toBeUndefined();
    expect(config.openBrowser).toBe(false);
  });

  test('treat the password and the keys as secrets in the log', () => {
    const { config } = load([], {
      env: { ...world.env, MCP_DRAWBRIDGE_STORE: 'rediss://user:pa%40ss-word@store.example' },
    });
    const secrets = settingSecrets({ headers: [], store: config.store }, {});
    expect(secrets).toEqual(
      expect.arrayContaining([
        'pa@ss-word',
        'pa%40ss-word',
        KEY,
        FIRST.toString('base64url'),
        FIRST.toString('hex'),
      ]),
    );
  });
});

describe('commands that use no store', () => {
  test.each([['hosts'], ['uninstall', 'x'], ['store', 'key']])(
    '%s %s ignores a store without a key',
    (...argv) => {
      expect(parse(argv, { env: { MCP_DRAWBRIDGE_STORE: 'rediss://store.example' } })).toMatchObject({
        config: { store: { kind: 'file' } },
      });
    },
  );
});

describe('what install and bundle write', () => {
  const url = `rediss://user:${PASSWORD}@store.example`;
  const installed = (argv: readonly string[], world: World) => {
    const parsed = parse(['install', SERVER, ...argv], world);
    if (parsed.command !== 'install') throw new Error(parsed.command);
    return parsed.config.install.entry;
  };

  test('a password goes into the private file of the entry, and not among its arguments', () => {
    const world: World = { files: { '/k': KEY } };
    const entry = installed(['--store', url, '--store-key-file', '/k'], world);
    expect(entry.words).toEqual([SERVER, '--store-key-file', '/k']);
    expect(entry.secrets).toEqual({ store: url });
    const plain = installed(['--store', 'rediss://store.example', '--store-key-file', '/k'], world);
    expect(plain.words).toEqual([SERVER, '--store', 'rediss://store.example', '--store-key-file', '/k']);
    expect(plain.secrets).toEqual({});
  });

  test("a key in the terminal's environment is not written into the host's entry", () => {
    expect(() => installed(['--store', 'rediss://store.example'], withKey)).toThrow(
      /--store-key-file|environment/,
    );
  });

  test('a bundle contains neither a password nor a key', () => {
    const bundle = (argv: readonly string[], world: World = {}) => parse(['bundle', SERVER, ...argv], world);
    expect(() => bundle(['--store', url])).toThrow(/secret/);
    expect(() => bundle(['--store', 'rediss://store.example'], withKey)).toThrow(/carries no key/);
    const made = bundle(['--store', 'rediss://store.example', '--store-key-command', 'vault get']);
    expect(made).toMatchObject({
      config: {
        bundle: {
          environment: {
            MCP_DRAWBRIDGE_STORE: 'rediss://store.example',
            MCP_DRAWBRIDGE_STORE_KEY_COMMAND: 'vault get',
          },
        },
      },
    });
    expect(bundle(['--store', 'memory'])).toMatchObject({
      config: { bundle: { environment: { MCP_DRAWBRIDGE_STORE: 'memory' } } },
    });
  });
});
