import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  open,
  SEALING_BYTES,
  seal,
  sealedUnder,
  sealingKeys,
} from '../../../../src/store/sealing/envelope.ts';

const secret = Buffer.alloc(32, 1);
const other = Buffer.alloc(32, 2);
const keys = sealingKeys([secret], 'test');
const text = Buffer.from('an access token and a refresh token');
const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'opened';
};

describe('a sealed text', () => {
  it('opens with its key and name, whatever it contains', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.string(), secrets, (plaintext, name, key) => {
        const own = sealingKeys([key], 'test');
        const sealed = seal(own, plaintext, name);
        expect(sealed.length).toBe(plaintext.length + SEALING_BYTES);
        expect(Buffer.from(open(own, sealed, name)).equals(plaintext)).toBe(true);
      }),
    );
  });

  it('is refused with any of its bits flipped', () => {
    const sealed = seal(keys, text, 'name');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const isOfKeyId = bit >= 8 && bit < 40;
      expect([bit, codeOf(() => open(keys, changed, 'name'))]).toEqual([
        bit,
        isOfKeyId ? 'unknown_key' : 'not_authentic',
      ]);
    }
  });

  it('is refused when it is cut at any place, or longer than it was', () => {
    const sealed = seal(keys, text, 'name');
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => open(keys, sealed.subarray(0, length), 'name'))).toBe('not_authentic');
    }
    expect(codeOf(() => open(keys, Buffer.concat([sealed, Buffer.from([0])]), 'name'))).toBe('not_authentic');
  });

  it('is refused under any other name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, wrong) => {
        fc.pre(Buffer.from(name).compare(Buffer.from(wrong)) !== 0);
        expect(codeOf(() => open(keys, seal(keys, text, name), wrong))).toBe('not_authentic');
      }),
    );
  });

  it('is refused in place of another one, spliced from two, and when it is something else', () => {
    const [one, two] = [seal(keys, text, 'name'), seal(keys, text, 'name')];
    for (let cut = 0; cut <= one.length; cut++) {
      const mixed = Buffer.concat([one.subarray(0, cut), two.subarray(cut)]);
      const isWhole = mixed.equals(one) || mixed.equals(two);
      expect(codeOf(() => open(keys, mixed, 'name'))).toBe(isWhole ? 'opened' : 'not_authentic');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => open(keys, bytes, 'name'))).toMatch(/^(not_authentic|unknown_key)$/);
      }),
    );
  });

  it('reveals nothing of the text, and differs each time', () => {
    const sealed = [seal(keys, text, 'name'), seal(keys, text, 'name')].map((each) => Buffer.from(each));
    expect(sealed[0]?.equals(sealed[1] ?? text)).toBe(false);
    for (const each of sealed) expect(each.includes(text.subarray(0, 4))).toBe(false);
  });
});

describe('keys', () => {
  it('the first one seals, and all open: a new one is added first, then the old one is dropped', () => {
    const [before, both, after] = [[secret], [other, secret], [other]].map((each) =>
      sealingKeys(each, 'test'),
    );
    if (before === undefined || both === undefined || after === undefined) throw new Error('no keys');
    const old = seal(before, text, 'name');
    const renewed = seal(both, open(both, old, 'name'), 'name');
    expect(Buffer.from(open(after, renewed, 'name'))).toEqual(text);
    expect(codeOf(() => open(after, old, 'name'))).toBe('unknown_key');
    expect(sealedUnder(renewed)).toBe(after[0].id);
  });

  it('of another purpose open nothing, even with the same secret', () => {
    const sealed = seal(sealingKeys([secret], 'one purpose'), text, 'name');
    expect(codeOf(() => open(sealingKeys([secret], 'another'), sealed, 'name'))).toBe('unknown_key');
  });

  it('with a colliding id open nothing: the tag decides', () => {
    const [key] = keys;
    const colliding = [{ id: key.id, key: randomBytes(32) }] as const;
    expect(codeOf(() => open(colliding, seal(keys, text, 'name'), 'name'))).toBe('not_authentic');
  });

  it('do not reveal their secret by their id, and are the same each time', () => {
    expect(sealingKeys([secret], 'test')).toEqual(keys);
    expect(keys[0].id).toMatch(/^[0-9a-f]{8}$/);
    expect(secret.toString('hex')).not.toContain(keys[0].id);
  });

  it.each([[[]], [[Buffer.alloc(31)]], [[secret, Buffer.alloc(33)]]])('are refused for %j', (wrong) => {
    expect(() => sealingKeys(wrong, 'test')).toThrow(RangeError);
  });
});
