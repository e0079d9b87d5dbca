import { describe, expect, it } from 'vitest';
import { createCookies } from '../../../../src/remote/http/cookies.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const https = new URL('https://example.com/mcp/v1');

describe('cookies', () => {
  it.each<[string, readonly string[], string, string | undefined]>([
    [
      'one',
      ['AWSALB=a+b/c==; Expires=Thu, 08 Jan 2026 00:00:00 GMT; Path=/'],
      'https://example.com/x',
      'AWSALB=a+b/c==',
    ],
    ['two', ['a=1; Path=/', 'b="2"; path=/; HttpOnly'], 'https://example.com/', 'a=1; b="2"'],
    ['the later of two', ['a=1; Path=/', 'a=2; Path=/'], 'https://example.com/', 'a=2'],
    ['taken back by age', ['a=1; Path=/', 'a=; Max-Age=0'], 'https://example.com/', undefined],
    [
      'taken back by date',
      ['a=1; Path=/', 'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
      'https://example.com/',
      undefined,
    ],
    [
      'age over date',
      ['a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
      'https://example.com/',
      'a=1',
    ],
    ['secure over http', ['a=1; Path=/; Secure'], 'http://example.com/', undefined],
    ['default path', ['a=1'], 'https://example.com/mcp/other', 'a=1'],
    ['default path, outside', ['a=1'], 'https://example.com/mcpx', undefined],
    ['path within', ['a=1; Path=/mcp'], 'https://example.com/mcp/v1', 'a=1'],
    ['path that only starts alike', ['a=1; Path=/mcp'], 'https://example.com/mcpx', undefined],
    ['no name', ['=1; Path=/'], 'https://example.com/', undefined],
    ['no pair', ['Path=/'], 'https://example.com/mcp/', 'Path=/'],
    ['control characters', ['a=1\u0001; Path=/', 'b\u0000=1; Path=/'], 'https://example.com/', undefined],
    ['too long', [`a=${'x'.repeat(5_000)}; Path=/`], 'https://example.com/', undefined],
    ['prototype', ['__proto__=1; Path=/'], 'https://example.com/', '__proto__=1'],
  ])('%s', (_name, given, asked, expected) => {
    const cookies = createCookies(() => NOW);
    cookies.take(https, given);
    expect(cookies.header(new URL(asked))).toBe(expected);
  });

  it('are limited to fifty', () => {
    const cookies = createCookies(() => NOW);
    cookies.take(
      https,
      Array.from({ length: 100 }, (_, n) => `c${n}=${n}; Path=/`),
    );
    expect(cookies.header(https)?.split('; ')).toHaveLength(50);
  });
});
