import type { Pair } from './matrix.ts';

export interface Outcome extends Pair {
  /** The runner ended with 0: no failed check, no warning, no time-out, no error of the client. */
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** One row for each scenario, one column for each host, and below it what the runner said of each that failed. */
export function table(outcomes: readonly Outcome[], { verbose }: { readonly verbose: boolean }): string {
  const hosts = [...new Set(outcomes.map(({ host }) => host))];
  const rows = new Map<string, Map<string, Outcome>>();
  for (const outcome of outcomes) {
    const row = `${outcome.revision}  ${outcome.scenario}`;
    rows.set(row, (rows.get(row) ?? new Map()).set(outcome.host, outcome));
  }
  const width = Math.max(...Array.from(rows.keys(), (row) => row.length), 0);
  const cell = (outcome: Outcome | undefined) =>
    outcome === undefined ? '-' : `${outcome.passed ? 'pass' : 'FAIL'} ${outcome.seconds.toFixed(1)} s`;
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}  ${cells.map((text) => text.padEnd(12)).join('')}`.trimEnd();
  const failed = outcomes.filter(({ passed }) => !passed);
  return [
    line('', hosts),
    ...Array.from(rows, ([row, cells]) =>
      line(
        row,
        hosts.map((host) => cell(cells.get(host))),
      ),
    ),
    `${outcomes.length - failed.length} of ${outcomes.length} passed`,
    ...failed.map((outcome) => said(outcome, verbose)),
    '',
  ].join('\n');
}

/** What the client said and which checks failed; with `verbose` everything, in its order. */
function said({ host, scenario, revision, output }: Outcome, verbose: boolean): string {
  const client = /^Stderr:\n([\s\S]*?)\nChecks:/m.exec(output)?.[1] ?? '';
  const results = output.search(/^Test Results:/m);
  const words = verbose || results === -1 ? output : `${client}\n${output.slice(results)}`;
  return `\n== ${revision} ${scenario}, host ${host}\n${words}`;
}
