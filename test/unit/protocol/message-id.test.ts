import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberText } from '../../../src/protocol/json/raw-json.ts';
import { LOOKED_AT_BYTES, lookAtMessage, parseMessage } from '../../../src/protocol/jsonrpc.ts';
import {
  answersId,
  asMessageId,
  IdMap,
  idInParams,
  type MessageId,
  stringId,
} from '../../../src/protocol/message-id.ts';

const asId = (text: string) => text as MessageId;

const blanks = fc.constantFrom('', ' ', '\n', ' \t\r\n ');
const escaped = fc
  .string()
  .map((text) => JSON.stringify(text).replaceAll('/', '\\/').replace('a', '\\u0061'));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n }),
    fc.constantFrom('', '.0', '.250'),
    fc.constantFrom('', 'e3', 'E-2'),
  )
  .map((parts) => parts.join(''));
const idText = fc.oneof(number, escaped, fc.constantFrom('1', '1.0', '"id"', '"\\"id\\":5}"', '""', '1E400'));
const name = fc.constantFrom('"id"', '"\\u0069d"', '"i\\u0064"');
const json = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom('{"id":1}', '[{"id":2}]', '"\\"id\\":3}"', '{"a":{"id":"x"},"id":4}', '"x,\\"id"'),
);
/** A request with its members in any order, and blanks between. */
const message = fc
  .tuple(
    idText,
    name,
    fc.array(fc.tuple(fc.constantFrom('"params"', '"result"', '"ids"', '"x,\\"id"', '"\\\\"'), json), {
      maxLength: 4,
    }),
    fc.infiniteStream(blanks),
    fc.nat(),
  )
  .map(([id, idName, others, space, at]) => {
    const blank = () => space.next().value as string;
    const members = [['"jsonrpc"', '"2.0"'], ['"method"', '"a"'], ...others];
    members.splice(at % (members.length + 1), 0, [idName, id]);
    const text = members
      .map(([key, value]) => `${blank()}${key}${blank()}:${blank()}${value}${blank()}`)
      .join(',');
    return { id, text: `${blank()}{${text}}${blank()}` };
  });

describe('the id of a message', () => {
  it('is its text, at any position and among any members', () => {
    fc.assert(
      fc.property(message, ({ id, text }) => {
        expect(parseMessage(text)).toMatchObject({ kind: 'request', id });
        expect(parseMessage(Buffer.from(text))).toMatchObject({ kind: 'request', id });
      }),
      { numRuns: 3_000 },
    );
  });

  it('is its text also in a message that is too large to be parsed', () => {
    const large = (id: string, text: string) => {
      const padded = text.replace(/\}(\s*)$/, `,"pad":"${'x'.repeat(LOOKED_AT_BYTES)}"}$1`);
      expect(lookAtMessage(Buffer.from(padded))).toMatchObject({ kind: 'request', id });
    };
    fc.assert(fc.property(message, ({ id, text }) => large(id, text)));
  });

  it.each([
    ['in a member before it', '{"params":{"id":5},"jsonrpc":"2.0","method":"a","id":5.0}', '5.0'],
    ['in a member between', '{"jsonrpc":"2.0","params":{"a":"2.0","id":5},"method":"a","id":5.0}', '5.0'],
    ['in a member after it', '{"id":5.0,"jsonrpc":"2.0","method":"a","params":{"x":5}}', '5.0'],
    ['as another member at the end', '{"method":"a","jsonrpc":"2.0","id":5.0,"x":5}', '5.0'],
    ['under a name that ends like its own', '{"method":"a","jsonrpc":"2.0","id":5.0,"a\\"id":5}', '5.0'],
    ['as the same name before', '{"jsonrpc":"2.0","id":"a","method":"a","id":"b"}', '"b"'],
    ['as the same name after others', '{"method":"a","id":"a","jsonrpc":"2.0","\\u0069d":"b"}', '"b"'],
  ])('is not taken from %s', (_, text, id) => {
    expect(parseMessage(text)).toMatchObject({ kind: 'request', id });
  });

  it('is the last of a repeated name', () => {
    expect(parseMessage('{"jsonrpc":"2.0","id":1,"method":"a","id":2}')).toMatchObject({ id: '2' });
    expect(parseMessage('{"id":2,"jsonrpc":"2.0","method":"a","\\u0069d":3}')).toMatchObject({ id: '3' });
  });
});

it('reading one member gives the same as reading the whole object', () => {
  const members = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('id', 'params')), fc.jsonValue());
  fc.assert(
    fc.property(members, fc.constantFrom(0, 2), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      for (const [key, value] of Object.entries(object)) {
        expect(JSON.parse(memberText(text, key) ?? '')).toEqual(JSON.parse(JSON.stringify(value)));
      }
      expect(memberText(text, 'not there')).toBeUndefined();
    }),
  );
});

describe('a response with another spelling of the id', () => {
  it.each([
    ['1', '1.0'],
    ['1e2', '100'],
    ['100', '1.00E+2'],
    ['-0', '0'],
    ['0.10', '1e-1'],
    ['-12.50', '-125e-1'],
    ['9007199254740993', '9007199254740993.0'],
    ['0', '0.00e7'],
    ['0.005', '5e-3'],
    ['1000', '1e3'],
    ['1e123456789012345', '10e123456789012344'],
    ['"a/b"', '"a\\/b"'],
    ['"é"', '"\\u00E9"'],
  ])('%s matches %s', (one, other) => {
    expect(answersId(asId(one), asId(other))).toBe(true);
    expect(answersId(asId(other), asId(one))).toBe(true);
  });

  it.each([
    ['1', '"1"'],
    ['1', '-1'],
    ['9007199254740992', '9007199254740993'],
    ['1e400', '1e401'],
    ['"a"', '"A"'],
    ['""', '0'],
    ['1e9999999999999999', '1e9999999999999998'],
    ['100', '10'],
    ['0.10', '1'],
    ['12', '21'],
    ['5e1', '5'],
    ['x1', '1'],
    ['1x', '1'],
    ['1', '"1'],
  ])('%s does not match %s', (one, other) => {
    expect(answersId(asId(one), asId(other))).toBe(false);
    expect(answersId(asId(other), asId(one))).toBe(false);
  });

  it('goes to the only request that it can match', () => {
    const map = new IdMap<string>();
    for (const id of ['1', '1.0', '2.0', '"\\u0061"']) map.set(asId(id), id);
    expect(map.size).toBe(4);
    expect(map.get(asId('2'))).toBeUndefined();
    expect(['1', '1.0', '2', '"a"', '1e0', '3'].map((id) => map.find(asId(id)))).toEqual([
      '1',
      '1.0',
      '2.0',
      '"\\u0061"',
      undefined,
      undefined,
    ]);
    map.delete(asId('1'));
    expect(map.find(asId('1e0'))).toBe('1.0');
    expect(map.values()).toEqual(['1.0', '2.0', '"\\u0061"']);
  });

  it('is matched in linear time', () => {
    const long = asId(`1${'0'.repeat(200_000)}1`);
    expect(answersId(long, asId(`${long}.0`))).toBe(true);
  });
});

it.each([
  ['{"params":{"requestId":9007199254740993}}', '9007199254740993'],
  ['{"params":{"a":{"requestId":1},"requestId":"x"}}', '"x"'],
  ['{"params":{"requestId":null}}', undefined],
  ['{"params":{"requestId":{}}}', undefined],
  ['{"params":[1]}', undefined],
  ['{}', undefined],
])('the id that %s names is %s', (text, id) => {
  expect(idInParams(text, 'requestId')).toBe(id);
});

it.each([
  ['{"params":"{\\"requestId\\":1}"}', undefined],
  ['{"params":"x","requestId":1}', undefined],
])('a string that looks like parameters is not: %s', (text, id) => {
  expect(idInParams(text, 'requestId')).toBe(id);
});

it.each([undefined, 'null', 'true', '{"a":1}', '[1]', '["1"]', ''])('%j is not an id', (json) => {
  expect(asMessageId(json)).toBeUndefined();
});

it.each(['0', '-1', '1.0', '""', '"a"'])('%j is an id', (json) => {
  expect(asMessageId(json)).toBe(json);
});

it('a string becomes a quoted id', () => {
  expect(stringId('a"b')).toBe('"a\\"b"');
});

it('an id is a distinct value, unequal to the number', () => {
  const map = new IdMap<string>();
  map.set(asId('1'), 'one');
  expect(map.get(asId('1'))).toBe('one');
  expect(map.get(asId('1.0'))).toBeUndefined();
  expect(map.find(asId('"1"'))).toBeUndefined();
});
