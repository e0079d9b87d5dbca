import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../helpers/command-line.ts';
import { PROGRAM } from '../peers/hosts/host.ts';
import { CELLS, type Cell } from './cells.ts';
import { CACHE } from './install.ts';
import { type HostProfile, PROFILES } from './profiles.ts';

export interface Flags {
  readonly list: boolean;
  readonly markdown: boolean;
  readonly hosts: readonly HostProfile[];
  readonly cells: readonly Cell[];
  readonly cache: string;
  readonly evidence: string | undefined;
  readonly program: string;
  readonly atOnce: number;
}

export const USAGE = `npm run test:hosts -- [flags]
  --host A,B        only these hosts
  --cell A,B        only these cells
  --list            names and versions of the hosts, and the cells; runs nothing
  --at-once N       so many cells side by side (default: 2)
  --cache FOLDER    where hosts are installed (default: ${CACHE})
  --program FILE    another build of the program
  --evidence FOLDER what was recorded in every cell: messages, stderr, what the model was asked
  --markdown        the table for a page
`;

/** Throws TypeError for what it does not know. */
export function readFlags(argv: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      list: flag,
      markdown: flag,
      host: text,
      cell: text,
      cache: text,
      evidence: text,
      program: text,
      'at-once': text,
    },
  });
  const atOnce = wholeNumber('--at-once', values['at-once'] ?? '2', 1);
  const program = resolve(values.program ?? PROGRAM);
  if (!existsSync(program)) throw new TypeError(`${program} is not there: npm run build`);
  return {
    list: values.list,
    markdown: values.markdown,
    hosts: chosen('--host', values.host, PROFILES),
    cells: chosen('--cell', values.cell, CELLS),
    cache: resolve(values.cache ?? CACHE),
    evidence: values.evidence === undefined ? undefined : resolve(values.evidence),
    program,
    atOnce,
  };
}

function chosen<T extends { readonly name: string }>(
  flag: string,
  value: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (value === undefined) return all;
  return value.split(',').map((name) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined)
      throw new TypeError(`${flag} ${name}: there are ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}
