import { describe, expect, it } from 'vitest';
import { scanObject } from '../../../../src/protocol/json/json-scan.ts';
import { LOOKED_AT_BYTES, lookAtMessage, parseMessage } from '../../../../src/protocol/jsonrpc.ts';

/** The text in bytes that begin so far behind a multiple of four, with no byte after them. */
function shifted(text: string, by: number): Buffer {
  const bytes = Buffer.alloc(by + Buffer.byteLength(text));
  bytes.write(text, by);
  return bytes.subarray(by);
}

let turn = 0;

/** `JSON.parse` is the judge: what it refuses is refused, and each member is what it finds. Each text begins at another alignment. */
function compare(text: string): void {
  const bytes = shifted(text, turn++ % 4);
  const scanned = scanObject(bytes);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8')); // A lone surrogate does not survive its encoding.
  } catch {
    expect(scanned === 'unknown' ? 'not-json' : scanned, text).toBe('not-json');
    return;
  }
  if (scanned === 'unknown') {
    expect(Array.isArray(value) || typeof value !== 'object' || value === null, text).toBe(true);
    return;
  }
  if (scanned === 'not-json') throw new Error(`not JSON: ${text}`);
  const found = [...scanned].map(
    ([name, [start, end]]) => [name, bytes.toString('utf8', start, end)] as const,
  );
  const parsed = found.map(([name, part]) => [name, JSON.parse(part)]);
  expect(Object.fromEntries(parsed), text).toEqual(value);
}

const whole = [
  '{}',
  ' { } ',
  '{"a":1}',
  '{"id":-0.5e+10,"method":"m","b":[true,false,null,"",{}],"c":{"d":{"e":[[]]}}}',
  '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9","é":"ü漢😀","long":"0123456789 0123456789 \\" 0123456789"}',
  '{"id":1,"id":2,"id":{"id":3}}',
  '{"\\u0069d":7}',
  '{"__proto__":1,"a":[ 1 , 2 ]\t,\r\n"b" : { "c" : [ { } , [ ] ] } }',
  '{"n":12345678901234567890,"m":0,"o":10,"p":1E5}',
];

const broken = [
  '',
  ' ',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{"a":1 "b":2}',
  '{"a":1}}',
  '{"a":1}x',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1 2]}',
  '{"a":[1}',
  '{"a":{]}',
  '{"a":{"b":1]}',
  '{a:1}',
  "{'a':1}",
  '{"a":01}',
  '{"a":1.}',
  '{"a":.5}',
  '{"a":+1}',
  '{"a":1e}',
  '{"a":-}',
  '{"a":tru}',
  '{"a":nullx}',
  '{"a":"\n"}',
  '{"a":"\u0001"}',
  '{"a":"\\x"}',
  '{"a":"\\u12g4"}',
  '{"a":"\\u12',
  '{"a":"b',
  '{"a":"b\\',
  '{"a":NaN}',
  '{"a":undefined}',
  '{"a":1/**/}',
  '{"a":1,"b"}',
  '{"a"::1}',
  '{1:2}',
  '\ufeff{"a":1}',
];

describe('scanObject', () => {
  it.each(whole)('finds the members of %s', (text) => {
    for (let by = 0; by < 4; by++) compare(text);
  });

  it.each(broken)('refuses %j', (text) => {
    for (let by = 0; by < 4; by++) compare(text);
    expect(scanObject(Buffer.from(text))).not.toBeInstanceOf(Map);
  });

  it('agrees with JSON.parse after any one byte was changed, removed or inserted, at any alignment', () => {
    const bytes = '{}[]",:\\u0e-+.tn \n\u0001x';
    for (const text of whole) {
      for (let at = 0; at < text.length; at++) {
        compare(text.slice(0, at) + text.slice(at + 1));
        for (const byte of bytes) {
          compare(text.slice(0, at) + byte + text.slice(at));
          compare(text.slice(0, at) + byte + text.slice(at + 1));
        }
      }
    }
  });

  it('finds the end of a string at any position, whatever precedes it', () => {
    for (let length = 0; length < 70; length++) {
      for (const filler of ['x', '\x7f', 'é', '😀', '!', '#', '[', ']']) {
        for (let by = 0; by < 4; by++) {
          compare(`{"a":"${filler.repeat(length)}","b":"${filler.repeat(length)}\\"","c":1}`);
          compare(`{"a":"${filler.repeat(length)}\u001f"}`);
        }
      }
    }
  });

  it('keeps no name longer than the ones looked for', () => {
    const [short, long] = ['x'.repeat(254), 'x'.repeat(255)];
    const scanned = scanObject(Buffer.from(`{"${short}":1,"${long}":2,"id":3}`));
    expect(scanned instanceof Map && [...scanned.keys()]).toEqual([short, '', 'id']);
  });

  it('leaves JSON deeper than any message to JSON.parse', () => {
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(scanObject(Buffer.from(deep))).toBe('unknown');
  });
});

describe('lookAtMessage', () => {
  const text = 'x'.repeat(LOOKED_AT_BYTES);

  it.each([
    `{"jsonrpc":"2.0","id":0,"result":{"text":"${text}"}}`,
    `{"jsonrpc":"2.0","id":"","error":{"text":"${text}"}}`,
    `{"jsonrpc":"2.0","method":"a","params":{"text":"${text}"}}`,
    `{"result":{"id":9,"method":"b","text":"${text}"},"id":3,"jsonrpc":"2.0"}`,
    `{"jsonrpc":"2.0","id":1,"method":"a","params":["${text}"]}`,
    `{"jsonrpc":"2.0","id":null,"method":"a","params":["${text}"]}`,
    `{"jsonrpc":"1.0","id":3,"result":"${text}"}`,
    `[{"jsonrpc":"2.0","id":3,"result":"${text}"}]`,
    `{"jsonrpc":"2.0","id":3,"result":"${text}"`,
    `"${text}"`,
  ])('agrees with parseMessage on a large message: %.60s', (message) => {
    const bytes = Buffer.from(message);
    const looked = lookAtMessage(bytes);
    const parsed = parseMessage(bytes);
    expect({ ...looked, message: 'message' in looked ? looked.message : undefined }).toEqual({
      message: undefined,
      ...parsed,
    });
  });
});
