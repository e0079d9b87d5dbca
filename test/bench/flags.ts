import { parseArgs } from 'node:util';
import { wholeNumber } from '../helpers/command-line.ts';
import { PROGRAM } from '../peers/hosts/host.ts';

export interface Flags {
  /** Small counts and few repeats: enough for the guard, too little for a table to be shown. */
  readonly quick: boolean;
  /** Compares with the targets; the exit code tells. */
  readonly check: boolean;
  /** Also how cost grows. */
  readonly growth: boolean;
  readonly repeats: number;
  readonly vs: string | undefined;
  readonly json: string | undefined;
  readonly chart: string | undefined;
  /** Groups of rows, by the names in plan.ts; empty: all. */
  readonly only: readonly string[];
  readonly program: readonly string[];
}

export const USAGE = `npm run bench -- [flags]
  --quick            small counts, few repeats
  --check            compare with the targets; exit code 1 names what falls short
  --growth           also: how cost grows with instances, size, calls in flight, length of a session
  --repeats N        (default: 5; quick: 3)
  --vs 'COMMAND'     another bridge, started with this command; {url} stands for the address
  --only A,B         start, store, ends, calls, notifications, large, package, instances, sizes, in-flight, session
  --json FILE        everything that was measured
  --chart FILE       an SVG of the ratios
  --program FILE     another build of this program
  --node FILE        another Node for the bridge
`;

/** Throws TypeError for what it does not know. */
export function readFlags(argv: readonly string[]): Flags {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: flag,
      check: flag,
      growth: flag,
      vs: text,
      json: text,
      chart: text,
      repeats: text,
      only: text,
      program: text,
      node: text,
    },
  });
  const { quick, check, growth, vs, json, chart } = values;
  const repeats =
    values.repeats === undefined ? (quick ? 3 : 5) : wholeNumber('--repeats', values.repeats, 1);
  return {
    quick,
    check,
    growth,
    vs,
    json,
    chart,
    repeats,
    only: values.only?.split(',') ?? [],
    program: [values.node ?? process.execPath, values.program ?? PROGRAM],
  };
}
