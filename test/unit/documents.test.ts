import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { picture } from '../../.build/picture.ts';
import { roomsPicture, withPicture } from '../../.build/rooms.ts';
import { ATTACKS } from '../threats/rows.ts';

const root = new URL('../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Every page of the repository, by its path. */
const PAGES = [
  'README.md',
  '.github/SECURITY.md',
  '.github/CONTRIBUTING.md',
  ...['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /(^|\/)README\.md$/.test(path))
      .map((path) => `${folder}/${path}`),
  ),
];

const sources = ['src', 'test', '.build'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|cjs)$/.test(name) && name !== 'unit/documents.test.ts')
    .map((name) => `${folder}/${name}`),
);

/** The numbered rows of the table below a heading. */
function rows(page: string, heading: string): Map<number, string> {
  const part =
    read(page)
      .split(/^#+ /m)
      .find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return new Map(Array.from(part.matchAll(/^\| (\d+) \|.*$/gm), ([row, number]) => [Number(number), row]));
}

/** `1, 3`, `27–29`, `1 to 4 and 7` → each number. */
function numbersIn(text: string): number[] {
  return text.split(/, | and /).flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split(/–| to /).map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

const NUMBERS = String.raw`(\d+(?:(?:, | and | to |–)\d+)*)`;

test('the table of attacks matches test/threats/rows.ts, with its files', () => {
  const attacks = rows('.github/SECURITY.md', 'Attacks');
  expect([...attacks.keys()]).toEqual(ATTACKS.map(([row]) => row));
  for (const [row, ...tests] of ATTACKS) {
    const linked = Array.from((attacks.get(row) ?? '').matchAll(/\]\(\.\.\/test\/([^)]+)\.test\.ts\)/g));
    expect([row, linked.map(([, file]) => file)]).toEqual([row, [...new Set(tests.map(([file]) => file))]]);
  }
  expect(/lists (\d+) attacks/.exec(read('README.md'))?.[1]).toBe(`${attacks.size}`);
});

test('every cited attack or fault exists', () => {
  const tables = [
    {
      page: '.github/SECURITY.md',
      cited: new RegExp(`SECURITY\\.md, attacks? ${NUMBERS}`, 'g'),
      heading: 'Attacks',
    },
    {
      page: 'test/README.md',
      cited: new RegExp(`test/README\\.md, faults? ${NUMBERS}`, 'g'),
      heading: 'Faults',
    },
    {
      page: 'src/README.md',
      cited: new RegExp(`src/README\\.md, promises? ${NUMBERS}`, 'g'),
      heading: undefined,
    },
  ];
  for (const { page, cited, heading } of tables) {
    const known = heading === undefined ? new Set([1, 2, 3, 4, 5, 6]) : rows(page, heading);
    const found = sources.flatMap((file) =>
      Array.from(read(file).matchAll(cited), ([citation, numbers = '']) => ({ file, citation, numbers })),
    );
    expect(found.length, page).toBeGreaterThan(0);
    expect(found.filter(({ numbers }) => !numbersIn(numbers).every((number) => known.has(number)))).toEqual(
      [],
    );
  }
});

test('quoted words from a page of the repository exist there', () => {
  const cited = /\b((?:src|test)\/(?:\w+\/)?README\.md|\.github\/\w+\.md), "([^"]+)"/g;
  const found = sources.flatMap((file) =>
    Array.from(read(file).matchAll(cited), ([, page = '', words = '']) => ({ file, page, words })),
  );
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(({ page, words }) => !existsSync(join(root, page)) || !isTitle(page, words))).toEqual(
    [],
  );
});

/** A heading, or the first cell of a row. */
function isTitle(page: string, words: string): boolean {
  return read(page)
    .split('\n')
    .some((line) => line.replace(/^#+ /, '') === words || line.startsWith(`| ${words} |`));
}

test('no source cites a page outside the repository', () => {
  const elsewhere = /\b(THREATS|FAULTS|QUIRKS|DESIGN)\b/;
  expect(sources.filter((file) => elsewhere.test(read(file)))).toEqual([]);
});

test.each(PAGES)('%s: each link and each named file exists', (page) => {
  const text = read(page);
  const links = Array.from(text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g), ([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link))
    .map((link) => join(dirname(page), link));
  const named = Array.from(
    text.matchAll(/`((?:src|test|\.build|\.github|\.ci)\/[\w./-]*)`/g),
    ([, path = '']) => path,
  );
  // On the pages of src, `room/file.ts` is a file there.
  const stations = Array.from(
    text.matchAll(/`((?!src\/|test\/)[a-z]+\/[\w/-]+\.ts)`/g),
    ([, path = '']) => `src/${path}`,
  );
  const all = [...links, ...named, ...(page.startsWith('src/') ? stations : [])];
  expect(all.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(PAGES)('%s: each named script exists', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = Array.from(
    read(page).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g),
    ([, name = '']) => name,
  );
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('the picture of the rooms matches the import rules (npx tsx .build/rooms.ts)', () => {
  const page = read('src/README.md');
  expect(page).toContain(roomsPicture());
  expect(withPicture(page)).toBe(page);
});

test("the README's picture matches .build/picture.ts", () => {
  expect(read('.github/bridge.svg')).toBe(picture());
});

test('the README is short: fewer than 200 lines on the page, the rest is folded', () => {
  const folded = /^<details>\n(<summary>.*<\/summary>)[\s\S]*?^<\/details>$/gm;
  expect(read('README.md').replace(folded, '$1').split('\n').length).toBeLessThan(200);
});

test('src/README.md: each station names a function of its file', () => {
  const stations = Array.from(read('src/README.md').matchAll(/^\| \d+ \| `([\w/-]+\.ts)` `(#?\w+)`/gm));
  expect(stations.length).toBeGreaterThan(20);
  const lost = stations.filter(([, file = '', name = '']) => !read(`src/${file}`).includes(name));
  expect(lost.map(([row]) => row)).toEqual([]);
});

/** Wording that no native reader would use; write what happens instead, with a subject and a verb. */
const STILTED =
  /\banew\b|\bfor want of\b|\bfor ever\b|\bmid-session\b|\bwhoever runs\b|\bnobody (?:is told|is asked|can be asked)\b|\bcomes? to (?:an|its) end\b|\bwhat stands\b|\bcannot be had\b|\bto who asks\b/i;

test('comments, names of tests and pages are in plain English', () => {
  const offences = [...sources, ...PAGES].flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, at) => (STILTED.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  );
  expect(offences).toEqual([]);
});

test.each(['begins anew', 'Nobody is told', 'it comes to an end', 'what stands there'])(
  '%j is stilted',
  (text) => {
    expect(STILTED.test(text)).toBe(true);
  },
);
