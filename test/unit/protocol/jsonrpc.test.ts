import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/protocol/jsonrpc.ts';

const kinds: [string, object][] = [
  ['{"jsonrpc":"2.0","id":0,"method":"a"}', { kind: 'request', id: '0', method: 'a' }],
  ['{"jsonrpc":"2.0","id":"","method":"a"}', { kind: 'request', id: '""' }],
  ['{"jsonrpc":"2.0","method":"a"}', { kind: 'notification', method: 'a' }],
  ['{"jsonrpc":"2.0","id":1,"result":null}', { kind: 'response', id: '1', failed: false }],
  ['{"jsonrpc":"2.0","id":"x","error":{}}', { kind: 'response', id: '"x"', failed: true }],
  ['{"jsonrpc":"2.0","id":null,"method":"a"}', { kind: 'not-a-message', id: null }],
  ['{"jsonrpc":"2.0","id":{},"method":"a"}', { kind: 'not-a-message', id: null }],
  ['{"jsonrpc":"2.0","id":3}', { kind: 'not-a-message', id: '3' }],
  ['{"jsonrpc":"1.0","id":3,"method":"a"}', { kind: 'not-a-message', id: '3' }],
  ['{"jsonrpc":"2.0","id":null,"error":{}}', { kind: 'not-a-message', id: null }],
  ['[]', { kind: 'not-a-message', id: null }],
  ['7', { kind: 'not-a-message', id: null }],
  ['null', { kind: 'not-a-message', id: null }],
  ['{', { kind: 'not-json' }],
  ['', { kind: 'not-json' }],
];

describe('parseMessage', () => {
  it.each(kinds)('%s', (text, expected) => {
    expect(parseMessage(text)).toMatchObject(expected);
    expect(parseMessage(Buffer.from(text))).toMatchObject(expected);
  });

  it.each([
    ['[1]', ['1']],
    [' [ {"a":[1,2,{"b":"],["}]} , "x,y" ,3 ] ', ['{"a":[1,2,{"b":"],["}]}', '"x,y"', '3']],
    ['[{"n":12345678901234567890},"\\"]\\\\"]', ['{"n":12345678901234567890}', '"\\"]\\\\"']],
  ])('takes the batch %s apart without touching its members', (text, members) => {
    const parsed = parseMessage(Buffer.from(text));
    expect(parsed.kind).toBe('batch');
    const found =
      parsed.kind === 'batch' ? parsed.members.map((member) => Buffer.from(member).toString().trim()) : [];
    expect(found).toEqual(members);
  });

  it('does not let a message reach Object.prototype', () => {
    parseMessage('{"jsonrpc":"2.0","id":1,"method":"a","__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
