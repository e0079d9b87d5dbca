import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { reachOf } from '../../../src/auth/http/address-reach.ts';
import { type Property, property } from '../property.ts';

const byte = fc.integer({ min: 0, max: 255 });
const group = fc.oneof(
  fc.constantFrom(0, 0, 0xffff, 0x64, 0xff9b, 1, 0x2001, 0x2002),
  fc.integer({ min: 0, max: 0xffff }),
);
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
/** What may be spelled in more than one way, for each of the eight groups. */
const taste = fc.record({
  width: fc.integer({ min: 1, max: 4 }),
  isUpper: fc.boolean(),
});
const tastes = fc.array(taste, { minLength: 8, maxLength: 8 });
const ipv4 = fc.oneof(
  fc.tuple(byte, byte, byte, byte),
  fc.tuple(fc.constantFrom(10, 127, 0, 224), byte, byte, byte),
  fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
  fc.tuple(fc.constant(192), fc.constantFrom(0, 88, 168), fc.constantFrom(0, 2, 99), byte),
);

interface Spelling {
  readonly tastes: readonly { readonly width: number; readonly isUpper: boolean }[];
  /** Which run of zeros is left out, of those there are; none where it is beyond them. */
  readonly shortened: number;
  readonly isDotted: boolean;
  readonly zone: string;
}
const spelling: fc.Arbitrary<Spelling> = fc.record({
  tastes,
  shortened: fc.integer({ min: 0, max: 12 }),
  isDotted: fc.boolean(),
  zone: fc.constantFrom('', '', '%1', '%eth0', '%10.0.0.1'),
});

/** RFC 4291 §2.2: leading zeros, either case, any one run of zero groups as `::`, the last 32 bits dotted. */
function spell(all: readonly number[], { tastes, shortened, isDotted, zone }: Spelling): string {
  const words = all.map((value, at) => {
    const text = value.toString(16).padStart(tastes[at]?.width ?? 1, '0');
    return tastes[at]?.isUpper ? text.toUpperCase() : text;
  });
  const [g6 = 0, g7 = 0] = all.slice(6);
  const end = isDotted ? [[g6 >> 8, g6 & 255, g7 >> 8, g7 & 255].join('.')] : words.slice(6);
  const parts = [...words.slice(0, 6), ...end];
  const runs: [from: number, to: number][] = [];
  const limit = isDotted ? 6 : 8;
  for (let from = 0; from < limit; from++) {
    for (let to = from + 1; to <= limit && all[to - 1] === 0; to++) runs.push([from, to]);
  }
  const [from, to] = runs[shortened] ?? [-1, -1];
  if (from < 0) return parts.join(':') + zone;
  return `${parts.slice(0, from).join(':')}::${parts.slice(to).join(':')}${zone}`;
}

/** The forms in which an IPv6 address stands for an IPv4 address. */
const FORMS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

export const ADDRESSES: readonly Property[] = [
  property('an address has one reach in all of its spellings', fc.tuple(groups, spelling), ([all, how]) => {
    const text = spell(all, how);
    assert.equal(isIP(text), 6, text);
    const plain = all.map((value) => value.toString(16)).join(':');
    assert.equal(reachOf(text), reachOf(plain), text);
    assert.equal(reachOf(new URL(`http://[${plain}]/`).hostname.slice(1, -1)), reachOf(plain), text);
  }),
  property(
    'an IPv6 address that stands for an IPv4 address has its reach',
    fc.tuple(ipv4, fc.constantFrom(...FORMS), spelling),
    ([[a, b, c, d], form, how]) => {
      const all = [...form, (a << 8) | b, (c << 8) | d];
      // `::` and `::1` are addresses of their own.
      const inner = reachOf([a, b, c, d].join('.'));
      assert.equal(reachOf(spell(all, how)), inner, spell(all, how));
    },
  ),
];
