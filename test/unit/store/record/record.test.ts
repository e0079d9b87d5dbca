import { expect, test } from 'vitest';
import { MAX_RECORD_BYTES } from '../../../../src/store/files/record-size.ts';
import { StoreError } from '../../../../src/store/files/store-errors.ts';
import { isExpected } from '../../../../src/store/record/record.ts';
import { parseRecord, serializeRecord } from '../../../../src/store/record/record-schema.ts';
import { parseCachedServer, serializeCachedServer } from '../../../../src/store/server-cache/file.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

test('a record is the same after writing and reading', () => {
  expect(parseRecord(serializeRecord(wholeRecord))).toEqual({ kind: 'record', record: wholeRecord });
});

test('rejects a record that is not UTF-8, even in unused parts', () => {
  const text = Buffer.from(serializeRecord(wholeRecord)).toString('latin1');
  const more = (member: string) => parseRecord(Buffer.from(text.replace('{', `{${member}`), 'latin1'));
  expect(more('"more": "x",')).toEqual({ kind: 'record', record: wholeRecord });
  expect(more('"more": "\xff",')).toEqual({ kind: 'corrupt' });
});

test('rejects a record cut at any byte', () => {
  const whole = serializeRecord(wholeRecord);
  // The last byte is the line break.
  for (let length = 0; length < whole.length - 1; length++) {
    expect(parseRecord(whole.subarray(0, length)), `${length} bytes`).toEqual({ kind: 'corrupt' });
  }
});

test('accepts a record followed by padding, as a response file has before it is cut to size', () => {
  const padded = Buffer.alloc(MAX_RECORD_BYTES, 0x20);
  serializeRecord(wholeRecord).copy(padded);
  expect(parseRecord(padded)).toEqual({ kind: 'record', record: wholeRecord });
});

const { tokens } = wholeRecord;

test.each([
  ['empty', ''],
  ['not JSON', '{'],
  ['null', 'null'],
  ['an array', '[]'],
  ['no text', Buffer.from([0xff, 0xfe])],
  [
    'no UTF-8 in one of its texts',
    Buffer.from(
      serializeRecord({ ...wholeRecord, profile: '@' })
        .toString('latin1')
        .replace('"@"', '"\xff"'),
      'latin1',
    ),
  ],
  ['revision 0', { ...wholeRecord, revision: 0 }],
  ['half a revision', { ...wholeRecord, revision: 1.5 }],
  ['version 0', { ...wholeRecord, version: 0 }],
  ['a key for another curve', { ...wholeRecord, dpopKey: { ...wholeRecord.dpopKey, crv: 'P-384' } }],
  ['a key that is none', { ...wholeRecord, dpopKey: { ...wholeRecord.dpopKey, d: 'a b' } }],
  ['no issuer', { ...wholeRecord, issuer: undefined }],
  ['a line break in the access token', { ...wholeRecord, tokens: { ...tokens, accessToken: 'a\r\nX: y' } }],
  ['a line break in the refresh token', { ...wholeRecord, tokens: { ...tokens, refreshToken: 'a\nb' } }],
  ['an empty access token', { ...wholeRecord, tokens: { ...tokens, accessToken: '' } }],
  ['a huge token', { ...wholeRecord, tokens: { ...tokens, accessToken: 'a'.repeat(49 * 1024) } }],
  ['a time that is none', { ...wholeRecord, tokens: { ...tokens, obtainedAt: 1e300 } }],
  ['an unknown kind of client', { ...wholeRecord, client: { ...wholeRecord.client, source: 'x' } }],
  ['more than 256 KiB', `${serializeRecord(wholeRecord).toString()}${' '.repeat(MAX_RECORD_BYTES)}`],
])('is refused: %s', (_, value) => {
  expect(parseRecord(Buffer.isBuffer(value) ? value : bytes(value))).toEqual({ kind: 'corrupt' });
});

test('does not judge a record of a later version', () => {
  expect(parseRecord(bytes({ version: 2, anything: true }))).toEqual({ kind: 'newer', version: 2 });
});

test('treats names like __proto__ as ordinary names', () => {
  const text = serializeRecord(wholeRecord)
    .toString()
    .replace('{', '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}},');
  const parsed = parseRecord(bytes(text));
  expect(parsed).toEqual({ kind: 'record', record: wholeRecord });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('does not write a record that could not be read again', () => {
  const huge = { ...wholeRecord, requestedScope: 'x'.repeat(17 * 1024) };
  expect(() => serializeRecord(huge)).toThrow(StoreError);
});

test.each([
  ['the same', { revision: 7, family: 'fam' }, true],
  ['another revision', { revision: 6, family: 'fam' }, false],
  ['another login with the same revision', { revision: 7, family: 'other' }, false],
  ['none', null, false],
])('compare and set: %s', (_, expected, holds) => {
  expect(isExpected({ ...wholeRecord, revision: 7, family: 'fam' }, expected)).toBe(holds);
});

test('compare and set: no record, and none expected', () => {
  expect(isExpected(undefined, null)).toBe(true);
  expect(isExpected(undefined, { revision: 1, family: 'f' })).toBe(false);
});

test('keeps what a server said, unless it is too large or too deep', () => {
  const lists = { 'tools/list': { tools: [{ name: 'x' }] } };
  const remembered = { savedAt: 5, initialize: { protocolVersion: '2025-06-18' }, lists };
  expect(parseCachedServer(serializeCachedServer(remembered) ?? Buffer.alloc(0))).toEqual(remembered);
  let deep: object = {};
  for (let depth = 0; depth < 200_000; depth++) deep = { deep };
  expect(serializeCachedServer({ savedAt: 1, lists: { 'tools/list': { deep } } })).toBeUndefined();
  const large = { text: 'x'.repeat(1024 * 1024) };
  expect(serializeCachedServer({ savedAt: 1, lists: { 'tools/list': large } })).toBeUndefined();
});

test.each(['', '[]', '{"version":2,"savedAt":1}', '{"version":1}', '{'])(
  'rejects a cache that is not valid: %s',
  (text) => {
    expect(parseCachedServer(bytes(text))).toBeUndefined();
  },
);
