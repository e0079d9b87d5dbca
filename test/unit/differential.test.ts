import { describe, expect, test } from 'vitest';
import { compareAll, differencesOf, LIBRARIES } from '../fuzz/differential/compare.ts';
import { explains } from '../fuzz/differential/reason.ts';
import { REASONS } from '../fuzz/differential/reasons.ts';
import { caseLine, differenceLine } from '../fuzz/differential/table.ts';

const comparisons = await compareAll();
const differences = comparisons.flatMap(differencesOf);

describe('what this program accepts, compared with the SDKs and oauth4webapi', () => {
  test.each(comparisons.map((one) => [caseLine(one), one] as const))('%s', (_, comparison) => {
    for (const difference of differencesOf(comparison)) {
      const reasons = REASONS.filter((reason) => explains(reason, difference)).map(({ why }) => why);
      expect(reasons, differenceLine(difference)).toHaveLength(1);
    }
  });

  test('200 cases, of which all accept the plain ones', () => {
    expect(comparisons).toHaveLength(200);
    const plain = comparisons.filter(({ given }) => given.features.length === 0);
    expect(plain.map(({ given }) => given.about)).toEqual(['resource', 'authorization', 'challenge']);
    for (const { ours, theirs } of plain) {
      for (const library of LIBRARIES) expect(theirs[library]).toEqual(ours);
      expect(Object.values(ours.kind === 'accepted' ? ours.values : {})).not.toContain(undefined);
    }
  });

  test.each(
    REASONS.flatMap((reason) => reason.libraries.map((library) => [library, reason.why, reason] as const)),
  )('is still so, %s: %s', (library, _, reason) => {
    const own = differences.filter((one) => one.library === library && explains(reason, one));
    expect(own).not.toEqual([]);
  });

  test.each(REASONS.flatMap((reason) => reason.features.map((name) => [name, reason] as const)))(
    'makes a difference: %s',
    (name, reason) => {
      const own = differences.filter((one) => one.features.includes(name) && explains(reason, one));
      expect(own).not.toEqual([]);
    },
  );
});
