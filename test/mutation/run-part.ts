import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Part, TESTS_VARIABLE } from './scope.ts';

/** What came of the mutants of one source file. */
export interface FileResult {
  readonly file: string;
  readonly killed: number;
  readonly survivors: readonly SurvivingMutant[];
}

export interface SurvivingMutant {
  readonly at: number;
  /** The line as it stands in the source, and as the mutant has it. */
  readonly line: string;
  readonly mutated: string;
  /** Some test reached it. */
  readonly covered: boolean;
}

/** The part that is read here of Stryker's JSON report. Lines and columns count from 1. */
interface Report {
  readonly files: Readonly<Record<string, MutatedFile | undefined>>;
}
interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}
interface Mutant {
  readonly status: string;
  readonly testsCompleted?: number;
  readonly replacement: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
interface Place {
  readonly line: number;
  readonly column: number;
}

/** Runs the part's tests against each mutant of `files` (paths from `root`), one mutant after another. */
export function runPart(root: string, part: Part, files: readonly string[]): FileResult[] {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  try {
    const config = join(folder, 'stryker.json');
    const report = join(folder, 'report.json');
    writeFileSync(config, JSON.stringify(options(files, folder, report)));
    execFileSync(process.execPath, ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', config], {
      cwd: root,
      env: { ...process.env, [TESTS_VARIABLE]: part.tests.join('\n') },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const { files: results } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    return files.map((file) => resultOf(file, results[file] ?? { source: '', mutants: [] }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function options(files: readonly string[], folder: string, report: string): object {
  return {
    mutate: files,
    ignorePatterns: ['dist', '*.md'],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', './test/mutation/texts.mjs'],
    ignorers: ['texts'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: true },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // A mutant that loops forever costs this time; one that is merely slow on a busy machine must not count as noticed.
    timeoutMS: 15_000,
    timeoutFactor: 4,
    reporters: ['json'],
    jsonReporter: { fileName: report },
    logLevel: 'error',
    // Vite strips the types without a word about them, and the tsconfig file would be rewritten through an interface that TypeScript 7 lacks.
    disableTypeChecks: false,
    tsconfigFile: 'none',
    tempDirName: join(folder, 'sandbox'),
  };
}

function resultOf(file: string, { source, mutants }: MutatedFile): FileResult {
  const lines = source.split('\n');
  return {
    file,
    killed: mutants.filter(isNoticed).length,
    survivors: mutants
      .filter(
        (mutant) => !isNoticed(mutant) && (mutant.status === 'Survived' || mutant.status === 'NoCoverage'),
      )
      .map(({ location: { start, end }, replacement, status }) => {
        const first = lines[start.line - 1] ?? '';
        const last = lines[end.line - 1] ?? '';
        return {
          at: start.line,
          line: first.trim(),
          mutated: oneLine(first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1)),
          covered: status === 'Survived',
        };
      }),
  };
}

/** A file that throws when it is loaded leaves no test to fail: Stryker calls such a mutant a survivor of no tests. */
function isNoticed({ status, testsCompleted }: Mutant): boolean {
  return status === 'Killed' || status === 'Timeout' || (status === 'Survived' && testsCompleted === 0);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
