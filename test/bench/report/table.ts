import type { Collection, Spread } from '../figures.ts';
import { BRIDGE, DIRECT, FETCH, OTHER, type Row, rows } from '../rows.ts';
import type { ProbeResult } from './verdicts.ts';

type Cells = readonly string[];

/** Figures of all subjects as min / median / max, and the ratios of the medians. */
export function figuresTable(collection: Collection): string {
  const subjects = [BRIDGE, DIRECT, FETCH, OTHER].filter((subject) =>
    rows.some(({ name }) => collection.spread(subject, name) !== undefined),
  );
  const others = subjects.slice(1);
  const lines: Cells[] = [['', ...subjects, ...others.map((other) => `× ${other}`)]];
  for (const row of rows) {
    const spreads = subjects.map((subject) => collection.spread(subject, row.name));
    if (spreads.every((spread) => spread === undefined)) continue;
    const [own, ...theirs] = spreads;
    lines.push([
      row.unit === '' ? row.name : `${row.name}, ${row.unit}`,
      ...spreads.map((spread) => (spread === undefined ? '' : spreadText(spread, row))),
      ...theirs.map((their) =>
        own === undefined || their === undefined || their.median === 0
          ? ''
          : (own.median / their.median).toFixed(2),
      ),
    ]);
  }
  return columns(lines);
}

/** What grows against what it costs. */
export function growthTable(title: string, subjects: readonly string[], collection: Collection): string {
  const lines: Cells[] = [[title, ...subjects]];
  for (const name of collection.names()) {
    lines.push([
      name,
      ...subjects.map((subject) => {
        const spread = collection.spread(subject, name);
        return spread === undefined ? '' : number(spread.median);
      }),
    ]);
  }
  return columns(lines);
}

export function verdictTable(verdicts: readonly ProbeResult[]): string {
  const lines = verdicts.map(({ target, value, met }) => {
    const { against, allowance } = target;
    const other = against === undefined ? '' : `× ${against.subject}'s ${against.name}`;
    return [
      met ? 'met' : 'SHORT',
      target.name,
      value.toFixed(2),
      `${target.is} ${target.bound}`,
      allowance === undefined ? other : `× (${against?.name} + ${allowance})`,
    ];
  });
  return columns([['', 'figure', 'measured', 'target', ''], ...lines]);
}

function spreadText({ min, median, max }: Spread, { unit }: Row): string {
  const text = [min, median, max].map(number);
  return unit === '' || text[0] === text[2] ? (text[1] as string) : text.join(' / ');
}

export function number(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function columns(lines: readonly Cells[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [at, cell] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return lines.map((line) => row(line, widths)).join('\n');
}

function row(line: Cells, widths: readonly number[]): string {
  return line
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join('  ')
    .trimEnd();
}
