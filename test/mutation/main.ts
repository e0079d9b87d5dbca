import { parseArgs } from 'node:util';
import { type FileResult, runPart } from './run-part.ts';
import { PARTS } from './scope.ts';
import { filesOf } from './scope-files.ts';
import { SURVIVORS } from './survivors.ts';

/**
 * `npm run mutate [-- --only GLOB]`: changes the source files of scope.ts in one place at a time and runs the tests that reach that place.
 * Fails if a changed program passes them and survivors.ts does not say why it may.
 */

const root = new URL('../..', import.meta.url).pathname;
const { values } = parseArgs({ options: { only: { type: 'string', default: '*.ts' } } });
const listed = new Set<string>();
let unlisted = 0;
let killed = 0;
let all = 0;
let found = 0;

for (const part of PARTS) {
  const files = filesOf(root, part, values.only);
  if (files.length === 0) continue;
  found += files.length;
  say(`\n${part.name}`);
  for (const result of runPart(root, part, files)) report(result);
}
if (found === 0) throw new Error(`--only ${values.only}: nothing in test/mutation/scope.ts is called so`);
say(`\n${score(killed, all)} of ${all} mutants were noticed; ${unlisted} survivors have no reason.`);

const outdated = SURVIVORS.flatMap(({ file, line, mutated }) =>
  mutated.map((each) => keyOf(file, line, each)),
).filter((key) => !listed.has(key) && values.only === '*.ts');
for (const key of outdated) say(`test/mutation/survivors.ts: no such survivor: ${key}`);
if (unlisted > 0 || outdated.length > 0) process.exitCode = 1;

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
