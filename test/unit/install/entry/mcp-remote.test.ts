import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import { convertMcpRemote } from '../../../../src/install/entry/mcp-remote.ts';

const URL_TEXT = 'https://example.com/sse';
const files: Readonly<Record<string, string>> = { '/c.json': '{"client_id":"file-id"}' };
const readFile = (path: string) => {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: ${path}`);
  return text;
};
const convert = (...words: string[]) => convertMcpRemote(words, readFile);

describe('converts each flag of mcp-remote 0.15', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['3334'], ['3334']],
    [
      ['--header', 'X-Key: ${KEY}'],
      ['--header', 'X-Key: ${KEY}'],
    ],
    [['--header', 'no header'], []],
    [
      ['--header-file', '/h.txt'],
      ['--header-file', '/h.txt'],
    ],
    [['--allow-http'], ['--allow-http']],
    [['--debug'], ['--debug']],
    [['--silent'], ['--silent']],
    [
      ['--connect-timeout', '30'],
      ['--connect-timeout', '30'],
    ],
    [['--body-timeout', '0'], []],
    [['--headers-timeout', '60'], []],
    [['--ipv4'], []],
    [['--enable-proxy'], []],
    [['--keep-alive'], ['--ping-interval', '30']],
    [
      ['--keep-alive', '--ping-interval', '60'],
      ['--ping-interval', '60'],
    ],
    [
      ['--ping-interval', '60', '--keep-alive'],
      ['--ping-interval', '60'],
    ],
    [
      ['--transport', 'sse-only'],
      ['--transport', 'sse-only'],
    ],
    [['--protocol', 'auto'], []],
    [
      ['--host', 'localhost'],
      ['--callback-host', 'localhost'],
    ],
    [['--host', 'my.machine'], []],
    [
      ['--callback-path', '/cb'],
      ['--callback-path', '/cb'],
    ],
    [['--auth-success-url', 'https://x.y/z'], []],
    [
      ['--static-oauth-client-metadata', '{"scope":"a b"}'],
      ['--scope', 'a b'],
    ],
    [
      ['--static-oauth-client-info', '{"client_id":"id"}'],
      ['--client-id', 'id'],
    ],
    [
      ['--static-oauth-client-info', '@/c.json'],
      ['--client-id', 'file-id'],
    ],
    [
      ['--client-metadata-url', 'https://x.y/c.json'],
      ['--client-metadata-url', 'https://x.y/c.json'],
    ],
    [['--disable-cookies'], ['--disable-cookies']],
    [['--device-code'], ['--grant', 'device_code']],
    [['--use-id-token'], ['--use-id-token']],
    [['--disable-resource-parameter'], ['--disable-resource-parameter']],
    [
      ['--resource', 'https://x.y/'],
      ['--resource', 'https://x.y/'],
    ],
    [['--resource', ''], ['--no-resource']],
    [
      ['--authorize-param', 'a=b', '--authorize-param', 'c=d'],
      ['--authorize-param', 'a=b', '--authorize-param', 'c=d'],
    ],
    [
      ['--ignore-tool', 'delete*'],
      ['--ignore-tool', 'delete*'],
    ],
    [
      ['--auth-timeout', '60'],
      ['--auth-timeout', '60'],
    ],
    [['--unheard-of'], []],
  ])('%j', (words, args) => {
    const converted = convert(URL_TEXT, ...words);
    expect(converted).toMatchObject({ kind: 'converted', args: [URL_TEXT, ...args] });
    // Our own parser takes what comes out.
    const taken =
      converted.kind === 'converted'
        ? converted.args.filter((word) => word !== '/h.txt' && word !== '--header-file')
        : [];
    expect(() => loadConfig(taken, { KEY: 'x' }, () => '')).not.toThrow();
  });

  test('turns a client secret into a variable of the entry, or keeps a variable', () => {
    expect(
      convert(URL_TEXT, '--static-oauth-client-info', '{"client_id":"id","client_secret":"s3cr3t"}'),
    ).toMatchObject({
      args: [URL_TEXT, '--client-id', 'id', '--client-secret-env', 'CLIENT_SECRET'],
      env: { CLIENT_SECRET: 's3cr3t' },
    });
    expect(
      convert(URL_TEXT, '--static-oauth-client-info', '{"client_id":"id","client_secret":"${MINE}"}'),
    ).toMatchObject({
      args: [URL_TEXT, '--client-id', 'id', '--client-secret-env', 'MINE'],
      env: {},
    });
  });

  test('reports omitted flags, with the reason', () => {
    const { notes } = convert(URL_TEXT, '--ipv4', '--host', 'my.machine') as unknown as { notes: string[] };
    expect(notes).toEqual([
      expect.stringMatching(/^--ipv4 is left out: /),
      expect.stringMatching(/^--host is left out: /),
    ]);
  });

  test('accepts flags before the address', () => {
    expect(convert('--debug', '--transport', 'http-only', URL_TEXT)).toMatchObject({
      args: [URL_TEXT, '--debug', '--transport', 'http-only'],
    });
  });

  test.each<[readonly string[], RegExp]>([
    [[], /names no address/],
    [['nonsense'], /names no address/],
    [[URL_TEXT, '--static-oauth-client-info', '{"client_secret":"s3cr3t'], /not valid JSON/],
    [[URL_TEXT, '--static-oauth-client-info', '@/absent.json'], /ENOENT/],
  ])('%j is not converted', (words, reason) => {
    const found = convert(...words);
    expect(found).toMatchObject({ kind: 'unusable', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(found)).not.toContain('s3cr3t');
  });
});
