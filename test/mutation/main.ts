import { parseArgs } from 'node:util';
import { commandLine } from '../helpers/command-line.ts';
import { type FileResult, runPart } from './run-part.ts';
import { PARTS, type Part } from './scope.ts';
import { filesOf } from './scope-files.ts';
import { SURVIVORS } from './survivors.ts';

const USAGE = `npm run mutate -- [flags]: changes the source files of scope.ts in one place at a time, and runs the tests that reach that place.
Fails if a changed program passes them and survivors.ts does not say why it may.
  --only GLOB      only these source files, such as src/remote/http/refusal.ts
`;
const EVERYTHING = '*.ts';
const root = new URL('../..', import.meta.url).pathname;
const listed = new Set<string>();
let unlisted = 0;
let killed = 0;
let all = 0;

interface Plan {
  readonly only: string;
  readonly parts: readonly { readonly part: Part; readonly files: readonly string[] }[];
}

function readPlan(argv: readonly string[]): Plan {
  const options = { only: { type: 'string', default: EVERYTHING } } as const;
  const { only } = parseArgs({ args: [...argv], options }).values;
  const parts = PARTS.map((part) => ({ part, files: filesOf(root, part, only) })).filter(
    ({ files }) => files.length > 0,
  );
  if (parts.length === 0)
    throw new TypeError(`--only ${only}: no source file of test/mutation/scope.ts matches`);
  return { only, parts };
}

async function mutate({ only, parts }: Plan): Promise<number> {
  for (const { part, files } of parts) {
    say(`\n${part.name}`);
    for (const result of runPart(root, part, files)) report(result);
  }
  say(`\n${score(killed, all)} of ${all} mutants were noticed; ${unlisted} survivors have no reason.`);
  const outdated = SURVIVORS.flatMap(({ file, line, mutated }) =>
    mutated.map((each) => keyOf(file, line, each)),
  ).filter((key) => !listed.has(key) && only === EVERYTHING);
  for (const key of outdated) say(`test/mutation/survivors.ts: no such survivor: ${key}`);
  return unlisted > 0 || outdated.length > 0 ? 1 : 0;
}

function report({ file, killed: ofThis, survivors }: FileResult): void {
  const total = ofThis + survivors.length;
  killed += ofThis;
  all += total;
  say(`  ${score(ofThis, total).padStart(7)}  ${ofThis}/${total}  ${file}`);
  for (const { at, line, mutated, covered } of survivors) {
    const isKnown = SURVIVORS.some(
      (one) => one.file === file && one.line === line && one.mutated.includes(mutated),
    );
    if (isKnown) {
      listed.add(keyOf(file, line, mutated));
      continue;
    }
    unlisted++;
    say(`    ${file}:${at}${covered ? '' : ' (reached by no test)'}\n      - ${line}\n      + ${mutated}`);
  }
}

function keyOf(file: string, line: string, mutated: string): string {
  return `${file}\n  - ${line}\n  + ${mutated}`;
}

function score(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(1)} %`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await commandLine(USAGE, readPlan, mutate);
