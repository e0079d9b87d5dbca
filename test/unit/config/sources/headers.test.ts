import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import type { Given } from '../../../../src/config/options/option.ts';
import { headerFileLines, readHeaders } from '../../../../src/config/sources/headers.ts';

const CANARY = 's3cr3t-canary';
const flag = (text: string): Given => ({ text, place: '--header', source: 'flag' });
const variable = (text: string): Given => ({ text, place: 'MCP_DRAWBRIDGE_HEADER', source: 'environment' });

describe('expansion', () => {
  const env = { TOKEN: 'abc', EMPTY: '', 'ODD(x86)': 'odd', NESTED: '${TOKEN}' };
  test.each([
    ['Authorization: Bearer ${TOKEN}', 'Bearer abc'],
    ['Authorization:${TOKEN}', 'abc'],
    ['X: ${TOKEN}-${TOKEN}', 'abc-abc'],
    ['X: ${ODD(x86)}', 'odd'],
    ['X: ${NESTED}', '${TOKEN}'],
    ['X: $TOKEN {TOKEN} ${', '$TOKEN {TOKEN} ${'],
    ['X:\tv ', 'v'],
  ])('%s', (line, value) => {
    expect(readHeaders([variable(line)], env).headers[0]?.[1]).toBe(value);
  });

  test.each([
    ['X: ${MISSING}', '"MISSING"'],
    ['X: ${EMPTY}', '"EMPTY"'],
    ['X: ${constructor}', '"constructor"'],
    ['X: ${}', '""'],
  ])('%s names the variable', (line, name) => {
    expect(() => readHeaders([flag(line)], env)).toThrow(
      `X needs the environment variable ${name}, which is not set`,
    );
  });
});

describe('invalid headers', () => {
  test.each([
    [`X: a\r\nY: ${CANARY}`],
    [`X: ${CANARY}\n`],
    [`X: ${CANARY}\0`],
    [`X: ${CANARY}\u0100`],
    [`X\n: ${CANARY}`],
    [`X Y: ${CANARY}`],
    [`${CANARY}`],
    [`: ${CANARY}`],
    [`Bearer ${CANARY}: x`],
    [`Host: ${CANARY}`],
    [`Content-Length: ${CANARY}`],
    [`Mcp-Session-Id: ${CANARY}`],
  ])('refuses %j without showing the value', (line) => {
    const refused = (): unknown => readHeaders([flag(line)], {});
    expect(refused).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(refused).not.toThrow(CANARY);
  });

  test.each(['\r\n', '\n', '\0', '\u001b'])('%j in a variable (SECURITY.md, attack 42)', (bad) => {
    const refused = (): unknown => readHeaders([flag('X: a${V}')], { V: `${CANARY}${bad}Y: b` });
    expect(refused).toThrow('--header: the value of X contains a line break');
    expect(refused).not.toThrow(CANARY);
  });
});

describe('a host that splits arguments at spaces', () => {
  const url = 'https://example.com/mcp';
  const load = (argv: readonly string[]) => () => loadConfig(argv, {}, () => '');

  test.each([
    [[url, '--header', 'Authorization:', 'Bearer', CANARY]],
    [[url, '--header', 'X-Key:', CANARY]],
    [['--header', 'X-Key:', CANARY, url]],
  ])('%j', (argv) => {
    expect(load(argv)).toThrow(/--header: (Authorization|X-Key) has no value/);
    expect(load(argv)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('split arguments at spaces') }),
    );
  });

  test.each([
    [[url, '--header', 'Authorization:Bearer', CANARY]],
    [['--header', 'Authorization:Bearer', CANARY, url]],
    [[url, '3334', '--header', 'Authorization:Bearer', CANARY]],
  ])('%j is not shown', (argv) => {
    expect(load(argv)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(load(argv)).not.toThrow(CANARY);
  });
});

test('a literal secret on the command line works, with a warning (SECURITY.md, attack 40)', () => {
  const { headers, warnings } = readHeaders(
    [flag(`Authorization: Bearer ${CANARY}`), flag('X-Tenant: acme')],
    {},
  );
  expect(headers).toEqual([
    ['Authorization', `Bearer ${CANARY}`],
    ['X-Tenant', 'acme'],
  ]);
  expect(warnings).toEqual([expect.stringContaining('the value of Authorization is on the command line')]);
  expect(warnings.join()).not.toContain(CANARY);
  expect(
    readHeaders([flag('Authorization: Bearer ${T}'), variable(`X-Key: ${CANARY}`)], { T: 'x' }).warnings,
  ).toEqual([]);
});

test('Authorization in any spelling turns OAuth off', () => {
  const parsed = loadConfig(['https://example.com/', '--header', 'authorization: x'], {}, () => '');
  expect(parsed).toMatchObject({ config: { staticAuthorization: true } });
});

test('a header file: comments, blank lines, CRLF, a byte order mark, and the line in messages', () => {
  const lines = headerFileLines('\ufeffA: 1\r\n# no\r\n\r\n  # no\r\nB: 2', '/h');
  expect(lines.map(({ text, place }) => [text, place])).toEqual([
    ['A: 1', 'line 1 of "/h"'],
    ['B: 2', 'line 5 of "/h"'],
  ]);
});
