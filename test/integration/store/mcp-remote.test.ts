import { createHash } from 'node:crypto';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type McpRemoteLogin, mcpRemoteHashes, readMcpRemote } from '../../../src/store/record/mcp-remote.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const login = (server: string, change: Partial<McpRemoteLogin> = {}): McpRemoteLogin => ({
  server: new URL(server),
  resource: undefined,
  headers: [],
  ...change,
});

describe('the names of a login', () => {
  test.each<[string, McpRemoteLogin, string[]]>([
    ['an address', login('https://h/mcp'), ['https://h/mcp']],
    ['one without a path, typed with a slash or without', login('https://h/'), ['https://h/', 'https://h']],
    ['a query', login('https://h/?a=1'), ['https://h/?a=1']],
    [
      'a resource, which it had or had not',
      login('https://h/mcp', { resource: 'r' }),
      ['https://h/mcp|r', 'https://h/mcp'],
    ],
    [
      'headers, sorted by name',
      login('https://h/mcp', {
        headers: [
          ['X-B', '2'],
          ['X-A', '1'],
        ],
      }),
      ['https://h/mcp|{"X-A":"1","X-B":"2"}', 'https://h/mcp'],
    ],
    [
      'both',
      login('https://h/mcp', { resource: 'r', headers: [['X-A', '1']] }),
      ['https://h/mcp|r|{"X-A":"1"}', 'https://h/mcp|r', 'https://h/mcp|{"X-A":"1"}', 'https://h/mcp'],
    ],
  ])('%s', (_, given, texts) => {
    expect(mcpRemoteHashes(given)).toEqual(texts.map(md5));
  });
});

describe('a login of mcp-remote', () => {
  const NOW = 1_800_000_000_000;
  const SAVED = NOW - 60_000;
  const tokens = { access_token: 'a', token_type: 'Bearer' };
  const client = {
    client_id: 'c',
    client_secret: 's',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://localhost:1/cb', 'http://localhost:2/cb'],
    issuer: 'https://as.example',
  };
  const absent = {
    refresh_token: undefined,
    expires_at: undefined,
    scope: undefined,
    id_token: undefined,
    issuer: undefined,
    client_id: undefined,
    client_secret: undefined,
    token_endpoint_auth_method: undefined,
    redirect_uri: undefined,
  };

  let home: TemporaryHome;
  beforeEach(async () => {
    home = await TemporaryHome.create();
  });
  afterEach(() => home[Symbol.asyncDispose]());

  async function keep(
    name: string,
    value: unknown,
    { version = '0.1.30', at = SAVED } = {},
  ): Promise<string> {
    const folder = join(home.folder, `mcp-remote-${version}`);
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    await utimes(path, at / 1000, at / 1000);
    return path;
  }
  const read = (...hashes: string[]) => readMcpRemote(home.folder, hashes, NOW);

  test('is absent if there is no folder, or nothing in it', async () => {
    expect(await read('h')).toBeUndefined();
    expect(await readMcpRemote(join(home.folder, 'gone'), ['h'], NOW)).toBeUndefined();
    await keep('other_tokens.json', tokens);
    await mkdir(join(home.folder, 'not-mcp-remote-1'));
    await writeFile(join(home.folder, 'not-mcp-remote-1', 'h_tokens.json'), JSON.stringify(tokens));
    expect(await read('h')).toBeUndefined();
  });

  test('that cannot be read is an error', async () => {
    await writeFile(join(home.folder, 'file'), '');
    await expect(readMcpRemote(join(home.folder, 'file'), ['h'], NOW)).rejects.toMatchObject({
      code: 'store',
    });
  });

  test('whole', async () => {
    await keep('h_tokens.json', {
      ...tokens,
      refresh_token: 'r',
      expires_at: NOW + 5_000,
      expires_in: 7,
      scope: 'x y',
      id_token: 'i',
    });
    const path = await keep('h_client_info.json', client);
    expect(await read('g', 'h')).toStrictEqual({
      access_token: 'a',
      refresh_token: 'r',
      expires_at: NOW / 1000 + 5,
      scope: 'x y',
      id_token: 'i',
      issuer: 'https://as.example',
      client_id: 'c',
      client_secret: 's',
      token_endpoint_auth_method: 'none',
      redirect_uri: 'http://localhost:1/cb',
    });
    expect((await stat(path)).mtimeMs).toBe(SAVED);
  });

  test('without its client has no usable refresh token', async () => {
    await keep('h_tokens.json', { ...tokens, refresh_token: 'r', issuer: 'https://own.example' });
    expect(await read('h')).toStrictEqual({ ...absent, access_token: 'a', issuer: 'https://own.example' });
  });

  test.each<[string, object, number | undefined]>([
    ['a lifetime counts from when it was saved', { expires_in: 7 }, SAVED / 1000 + 7],
    ['a lifetime as text', { expires_in: '7' }, SAVED / 1000 + 7],
    ['a moment before all time', { expires_at: -5 }, 0],
    ['a moment after all time', { expires_at: 1e300 }, (NOW * 2) / 1000],
    ['nothing', {}, undefined],
    ['nonsense', { expires_at: 'soon', expires_in: 'late' }, undefined],
  ])('%s', async (_, times, expected) => {
    await keep('h_tokens.json', { ...tokens, ...times });
    expect((await read('h'))?.expires_at).toBe(expected);
  });

  test.each(['refresh_token', 'scope', 'id_token', 'issuer'])('an odd %s is left out', async (name) => {
    await keep('h_tokens.json', { ...tokens, [name]: 7 });
    await keep('h_client_info.json', { client_id: 'c' });
    expect(await read('h')).toStrictEqual({ ...absent, access_token: 'a', client_id: 'c' });
  });

  test.each(['client_secret', 'token_endpoint_auth_method', 'redirect_uris', 'issuer'])(
    "a client's odd %s is left out",
    async (name) => {
      await keep('h_tokens.json', tokens);
      await keep('h_client_info.json', { client_id: 'c', [name]: 7 });
      expect(await read('h')).toStrictEqual({ ...absent, access_token: 'a', client_id: 'c' });
    },
  );

  test.each([['{'], ['7'], [{ client_id: 7 }], ['x'.repeat(256 * 1024 + 1)]])(
    'a client that cannot be read is left out',
    async (value) => {
      await keep('h_tokens.json', { ...tokens, refresh_token: 'r' });
      await keep('h_client_info.json', value);
      expect(await read('h')).toStrictEqual({ ...absent, access_token: 'a' });
    },
  );

  test('the newest counts, or the next one if it cannot be read', async () => {
    await keep('h_tokens.json', { access_token: 'old' }, { version: '0.1.1', at: SAVED - 2_000 });
    await keep('g_tokens.json', { access_token: 'newer' }, { version: '0.1.2', at: SAVED - 1_000 });
    const newest = await keep('h_tokens.json', '{"access_token":7}', { version: '0.1.0', at: SAVED });
    expect((await read('h', 'g'))?.access_token).toBe('newer');
    await rm(newest);
    await keep('h_tokens.json', { access_token: 'newest' }, { version: '0.1.9', at: SAVED });
    expect((await read('g', 'h'))?.access_token).toBe('newest');
  });
});
