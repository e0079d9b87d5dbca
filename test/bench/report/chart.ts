import type { Collection } from '../figures.ts';
import { BRIDGE, DIRECT, FETCH, OTHER, rows } from '../rows.ts';
import { number } from './table.ts';

/** What a person who looks for a bridge wants to know, in the order in which they meet it. */
const SHOWN = [
  'start, warm',
  'memory at rest',
  'memory after load',
  'call p50 json',
  'call p50 sse',
  'calls/s at 32',
  'notifications/s',
  '32 MB json',
  '32 MB sse',
];

const WIDTH = 760;
const LABEL_WIDTH = 190;
const BAR_WIDTH = 420;
const BAR_HEIGHT = 11;
const GROUP_GAP = 12;
const TOP = 44;
/** Legible on a light and on a dark page. */
const COLOURS: Readonly<Record<string, string>> = {
  [BRIDGE]: '#2f81f7',
  [DIRECT]: '#8b949e',
  [FETCH]: '#6e7781',
  [OTHER]: '#d29922',
};

/** Bars of the medians; within a group the longest is full, so that only ratios show. `names` are those of the legend. */
export function chart(
  collection: Collection,
  names: Readonly<Record<string, string>>,
  title: string,
): string {
  const parts: string[] = [];
  let y = TOP;
  for (const name of SHOWN) {
    const row = rows.find((each) => each.name === name);
    const bars = [BRIDGE, DIRECT, FETCH, OTHER].flatMap((subject) => {
      const median = collection.spread(subject, name)?.median;
      return median === undefined ? [] : [{ subject, median }];
    });
    if (row === undefined || bars.length === 0) continue;
    const most = Math.max(...bars.map(({ median }) => median));
    const arrow = row.better === 'less' ? 'less is better' : 'more is better';
    parts.push(label(0, y + BAR_HEIGHT - 1, name), label(0, y + 2 * BAR_HEIGHT, arrow, 'small'));
    for (const { subject, median } of bars) {
      const width = Math.max(1, (median / most) * BAR_WIDTH);
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT - 2}" fill="${COLOURS[subject]}"/>`,
        label(LABEL_WIDTH + width + 6, y + BAR_HEIGHT - 2, `${number(median)} ${row.unit}`, 'small'),
      );
      y += BAR_HEIGHT;
    }
    y += GROUP_GAP + (bars.length === 1 ? BAR_HEIGHT : 0);
  }
  const legend = Object.entries(names).map(([subject, text], at) => {
    const x = LABEL_WIDTH + at * 140;
    return `<rect x="${x}" y="22" width="9" height="9" fill="${COLOURS[subject]}"/>${label(x + 14, 30, text, 'small')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">`,
    `<title>${escaped(title)}</title>`,
    '<style>text{font:12px system-ui,sans-serif;fill:#57606a}.small{font-size:10px}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>',
    label(0, 14, title),
    ...legend,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function label(x: number, y: number, text: string, kind?: 'small'): string {
  const style = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${x.toFixed(1)}" y="${y}"${style}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
