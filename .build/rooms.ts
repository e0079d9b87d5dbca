import { readFileSync, writeFileSync } from 'node:fs';
import { ALLOWED, GROUND, ROOMS } from '../test/unit/import-rules.ts';

/**
 * `npx tsx .build/rooms.ts`: draws the rooms of `src/` into `src/README.md`, from the rules of the import test. A unit test compares the two.
 */

/** Every room and its sub-rooms, and the arrows that do not follow from others: A → C is left out where A → B → C is there. */
export function roomsPicture(): string {
  const rooms = Object.keys(ALLOWED).filter((room) => !GROUND.includes(room));
  const isReached = (from: string, to: string): boolean =>
    (ALLOWED[from] ?? []).some((next) => next === to || isReached(next, to));
  const arrows = rooms.flatMap((from) => {
    const next = ALLOWED[from] ?? [];
    return next
      .filter((to) => !next.some((between) => between !== to && isReached(between, to)))
      .map((to) => `  ${from} --> ${to}`);
  });
  return [
    'flowchart TD',
    ...[...rooms, ...GROUND].map(box),
    ...arrows,
    `  subgraph ground ["every room may import these"]`,
    ...GROUND.map((room) => `    ${room}`),
    '  end',
  ].join('\n');
}

function box(room: string): string {
  const inside = (ROOMS[room] ?? []).map((entry) => entry.split(':')[0]).filter((name) => name !== '.');
  return inside.length === 0
    ? `  ${room}["${room}"]`
    : `  ${room}["${room}<br/><small>${lines(inside).join('<br/>')}</small>"]`;
}

/** Five names a line: a longer box pushes the others off the page. */
function lines(names: readonly (string | undefined)[]): string[] {
  return Array.from({ length: Math.ceil(names.length / 5) }, (_, at) =>
    names.slice(at * 5, at * 5 + 5).join(' · '),
  );
}

/** The page with the picture in place of the one that it holds. */
export function withPicture(page: string): string {
  return page.replace(/```mermaid\n[\s\S]*?```/, `\`\`\`mermaid\n${roomsPicture()}\n\`\`\``);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const path = new URL('../src/README.md', import.meta.url);
  writeFileSync(path, withPicture(readFileSync(path, 'utf8')));
}
