import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { missingThreats } from '../threats/judge.ts';
import { ATTACKS } from '../threats/rows.ts';

test('each attack has its row', () => {
  expect(ATTACKS.map(([row]) => row)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  for (const [row, ...tests] of ATTACKS) expect(tests, `row ${row}`).not.toEqual([]);
});

test('each row names existing files', () => {
  const files = new Set(ATTACKS.flatMap(([, ...tests]) => tests.map(([file]) => file)));
  const gone = [...files].filter((file) => !existsSync(new URL(`../${file}.test.ts`, import.meta.url)));
  expect(gone).toEqual([]);
});

describe('a run that did not confirm a row', () => {
  const rows = [[1, ['unit/a', 'is refused (%s)'], ['unit/b', 'costs $what']]] as const;
  const passed = (name: string) => ({ name, state: 'passed' });
  const judge = (...a: { name: string; state: string }[]) =>
    missingThreats(
      rows,
      new Map([
        ['unit/a', a],
        ['unit/b', [passed('all > costs nothing')]],
      ]),
    );

  test('nothing is missing if it did, nor from files that were not part of the run', () => {
    expect(judge(passed('all > is refused (1)'), passed('all > is refused (2)'), passed('other'))).toEqual(
      [],
    );
    expect(missingThreats(rows, new Map())).toEqual([]);
  });

  test.each([
    ['whose test was skipped', [{ name: 'all > is refused (1)', state: 'skipped' }], 'skipped'],
    [
      'one of whose tests was',
      [passed('is refused (1)'), { name: 'is refused (2)', state: 'skipped' }],
      'skipped',
    ],
    ['whose test has failed', [{ name: 'is refused (1)', state: 'failed' }], 'failed'],
    ['whose test has another name now', [passed('is declined (1)')], 'no such test'],
    ['whose file holds no test any more', [], 'no such test'],
  ])('%s', (_, ends, why) => {
    expect(judge(...ends)).toEqual([expect.stringMatching(`^row 1: unit/a, "is refused .*${why}$`)]);
  });
});
