import type { ThreatRow } from './rows.ts';

/** How one test ended in a run: `skipped`, `passed`, `failed`. */
export interface TestEnd {
  readonly name: string;
  readonly state: string;
}

/**
 * What is missing of the rows in a run: by file, such as `unit/threats`, its tests with their full names. A file that was not part of the run
 * says nothing; of one that was, each test that a row names has to be there and to have passed.
 */
export function missingThreats(
  rows: readonly ThreatRow[],
  run: ReadonlyMap<string, readonly TestEnd[]>,
): string[] {
  return rows.flatMap(([row, ...tests]) =>
    tests.flatMap(([file, name]) => {
      const ends = run.get(file);
      if (ends === undefined) return [];
      const named = ends.filter((end) => pattern(name).test(end.name));
      const what = `row ${row}: ${file}, "${name}"`;
      if (named.length === 0) return [`${what}: there is no such test`];
      const states = new Set(named.map(({ state }) => state));
      states.delete('passed');
      return states.size === 0 ? [] : [`${what}: ${[...states].join(', ')}`];
    }),
  );
}

/** The value of a parameter in a test's name may be anything in the run. */
function pattern(name: string): RegExp {
  const parts = name.split(/%[a-z#%]|\$\{[^}]*\}|\$\w+/);
  return new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*'), 's');
}
