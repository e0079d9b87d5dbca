import type { Cell, Played } from './cells.ts';
import type { HostProfile } from './profiles.ts';

export interface Outcome {
  readonly profile: HostProfile;
  readonly cell: Cell;
  readonly played: Played;
}

/** `ok 1.4`, `told`, or `FAILS`. */
export function verdict({ fails, told, seconds }: Played): string {
  if (fails !== undefined) return 'FAILS';
  if (told !== undefined) return 'told';
  return seconds === undefined ? 'ok' : `ok ${seconds.toFixed(1)}`;
}

/** One row for each host, one column for each cell, and below it what there is to say about single cells. */
export function textTable(outcomes: readonly Outcome[]): string {
  const { hosts, cells, find } = grid(outcomes);
  const width = (cell: Cell) => Math.max(cell.name.length, 8) + 2;
  const line = (name: string, texts: readonly string[]) =>
    `${name.padEnd(10)}${texts.map((text, at) => text.padEnd(width(cells[at] as Cell))).join('')}`.trimEnd();
  const failed = outcomes.filter(({ played }) => played.fails !== undefined);
  return [
    line(
      '',
      cells.map(({ name }) => name),
    ),
    ...hosts.map((profile) =>
      line(
        profile.name,
        cells.map((cell) => find(profile, cell)),
      ),
    ),
    '',
    ...outcomes.flatMap(remark),
    '',
    `${outcomes.length - failed.length} of ${outcomes.length} passed`,
    '',
  ].join('\n');
}

/** Cells that are played for what they show rather than for how they end. */
const SHOWN = ['withheld', 'end'];

/** The same as Markdown tables, with versions: one row for each cell, and one for each host with what some cells showed. */
export function markdownTable(outcomes: readonly Outcome[]): string {
  const { hosts, cells, find } = grid(outcomes);
  const row = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  const shown = cells.filter(({ name }) => SHOWN.includes(name));
  const note = (profile: HostProfile, cell: Cell) =>
    outcomes.find((one) => one.profile === profile && one.cell === cell)?.played.note ?? '–';
  return [
    row(['', ...hosts.map(({ name, version }) => `${name} ${version}`)]),
    row(['---', ...hosts.map(() => '---')]),
    ...cells.map((cell) => row([cell.title, ...hosts.map((profile) => find(profile, cell))])),
    '',
    row(['', ...shown.map(({ title }) => title)]),
    row(['---', ...shown.map(() => '---')]),
    ...hosts.map((profile) => row([profile.name, ...shown.map((cell) => note(profile, cell))])),
    '',
  ].join('\n');
}

function remark({ profile, cell, played }: Outcome): string[] {
  const text = played.fails ?? played.told ?? played.note;
  return text === undefined ? [] : [`${profile.name} ${cell.name}: ${text}`];
}

function grid(outcomes: readonly Outcome[]) {
  const find = (profile: HostProfile, cell: Cell) => {
    const outcome = outcomes.find((one) => one.profile === profile && one.cell === cell);
    return outcome === undefined ? '–' : verdict(outcome.played);
  };
  return {
    hosts: [...new Set(outcomes.map(({ profile }) => profile))],
    cells: [...new Set(outcomes.map(({ cell }) => cell))],
    find,
  };
}
