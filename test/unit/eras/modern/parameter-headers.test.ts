import { describe, expect, it, test } from 'vitest';
import { headerValue, parameterHeaders, toolHeaders } from '../../../../src/eras/modern/parameter-headers.ts';
import { requestHeaders } from '../../../../src/eras/modern/request-headers.ts';

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });
const mirrored = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name });

describe('the annotations of a tool', () => {
  test.each<[what: string, schema: unknown, why: RegExp]>([
    ['empty', object({ a: mirrored('') }), /not a header name/],
    ['no string', object({ a: mirrored(3) }), /not a header name/],
    ['with a space', object({ a: mirrored('My Region') }), /not a header name/],
    ['with a colon', object({ a: mirrored('a:b') }), /not a header name/],
    ['with a line break', object({ a: mirrored('a\r\nb') }), /not a header name/],
    ['beyond ASCII', object({ a: mirrored('Länge') }), /not a header name/],
    ['on a number', object({ a: mirrored('A', 'number') }), /other than string, integer or boolean/],
    ['on an object', object({ a: mirrored('A', 'object') }), /other than string, integer or boolean/],
    ['on null', object({ a: mirrored('A', 'null') }), /other than string, integer or boolean/],
    ['on no type', object({ a: { 'x-mcp-header': 'A' } }), /other than string, integer or boolean/],
    ['twice', object({ a: mirrored('A'), b: mirrored('A') }), /twice/],
    ['twice but for case', object({ a: mirrored('MyField'), b: mirrored('myfield') }), /twice/],
    ['at the root', { ...mirrored('A'), properties: {} }, /not a plain parameter/],
    ['in items', object({ a: { type: 'array', items: mirrored('A') } }), /not a plain parameter/],
    ['in oneOf', object({ a: { oneOf: [mirrored('A')] } }), /not a plain parameter/],
    ['in $defs', object({}, { $defs: { a: mirrored('A') } }), /not a plain parameter/],
    ['in if', object({}, { if: object({ a: mirrored('A') }) }), /not a plain parameter/],
  ])('%s: invalid', (_, schema, why) => {
    expect(toolHeaders(schema)).toEqual({ kind: 'invalid', why: expect.stringMatching(why) });
  });

  it('deeply nested annotations are invalid, and cause no stack overflow', () => {
    let schema: object = mirrored('A');
    for (let depth = 0; depth < 100_000; depth++) schema = { properties: { a: schema } };
    expect(toolHeaders(schema)).toMatchObject({ kind: 'invalid' });
  });

  it("valid annotations, also below other parameters and next to a parameter with the keyword's name", () => {
    const schema = object({
      a: mirrored('Region'),
      b: object({ c: mirrored('Count', 'integer') }),
      'x-mcp-header': { type: 'string' },
      d: { type: 'string', default: { 'x-mcp-header': 'no annotation' } },
    });
    expect(toolHeaders(schema)).toEqual({
      kind: 'valid',
      parameters: [
        { header: 'mcp-param-region', path: ['a'] },
        { header: 'mcp-param-count', path: ['b', 'c'] },
      ],
    });
    expect(toolHeaders(undefined)).toEqual({ kind: 'valid', parameters: [] });
  });
});

describe('the headers of a call', () => {
  const parameters = [
    { header: 'mcp-param-a', path: ['a'] },
    { header: 'mcp-param-b', path: ['b', 'c'] },
  ];
  test.each<[args: unknown, headers: object]>([
    [
      { a: 'x', b: { c: 42 } },
      { 'mcp-param-a': 'x', 'mcp-param-b': '42' },
    ],
    [{ a: false }, { 'mcp-param-a': 'false' }],
    [{ a: '' }, { 'mcp-param-a': '' }],
    [{ a: null, b: null }, {}],
    [{ a: {}, b: [] }, {}],
    [undefined, {}],
  ])('%j', (args, headers) => {
    expect(parameterHeaders(parameters, args)).toEqual(headers);
  });

  it('ignore Object.prototype', () => {
    expect(parameterHeaders([{ header: 'mcp-param-a', path: ['constructor', 'name'] }], {})).toEqual({});
  });
});

// The examples of the specification, Streamable HTTP → Value Encoding, and what would end a header.
test.each([
  ['us-west1', 'us-west1'],
  ['us west 1', 'us west 1'],
  ['', ''],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['a\r\nX-Evil: 1', '=?base64?YQ0KWC1FdmlsOiAx?='],
  ['\tindented', '=?base64?CWluZGVudGVk?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
])('encode the value %j', (value, header) => {
  expect(headerValue(value)).toBe(header);
});

test.each<[method: string, params: unknown, headers: object]>([
  ['tools/call', { name: 'a b' }, { 'mcp-method': 'tools/call', 'mcp-name': 'a b' }],
  ['tools/call', { name: 'ä' }, { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?w6Q=?=' }],
  [
    'resources/read',
    { uri: 'note://1', name: 'x' },
    { 'mcp-method': 'resources/read', 'mcp-name': 'note://1' },
  ],
  ['prompts/get', { name: 'p' }, { 'mcp-method': 'prompts/get', 'mcp-name': 'p' }],
  ['tools/list', { name: 'x' }, { 'mcp-method': 'tools/list' }],
  ['x\r\ny: z', undefined, { 'mcp-method': '=?base64?eA0KeTogeg==?=' }],
])('the headers of %s', (method, params, headers) => {
  expect(requestHeaders(method, params)).toEqual(headers);
});
