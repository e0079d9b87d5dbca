import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { commandLine } from '../helpers/command-line.ts';
import { HOST_NAMES } from './hosts.ts';
import { type Matrix, matrix, type Pair } from './matrix.ts';
import { node22 } from './node22.ts';
import { type Outcome, table } from './table.ts';

/** One scenario: the longest, a sign-in that is refused, takes some 5 s on an idle machine. */
const SCENARIO_MS = 45_000;
const root = new URL('../..', import.meta.url).pathname;
const RUNNER = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

const USAGE = `npm run test:conformance -- [flags]
  --host NAME           one of ${HOST_NAMES.join(', ')}; repeatable, as are the next three
  --requirements DATE   only those of this revision (default: 2025-11-25 and 2026-07-28)
  --only WORDS          scenarios whose name contains this, such as auth/
  --without WORDS       no scenarios whose name contains this
  --verbose             print all output of failed scenarios
`;

interface Plan {
  readonly wanted: Matrix;
  readonly isVerbose: boolean;
}

function readPlan(argv: readonly string[]): Plan {
  const many = { type: 'string', multiple: true } as const;
  const options = {
    host: many,
    requirements: many,
    only: many,
    without: many,
    verbose: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const unknown = values.host?.find((name) => !HOST_NAMES.some((known) => known === name));
  if (unknown !== undefined)
    throw new TypeError(`--host ${unknown}: expected one of ${HOST_NAMES.join(', ')}`);
  return {
    wanted: {
      hosts: HOST_NAMES.filter((name) => values.host?.includes(name) ?? true),
      requirements: values.requirements ?? ['2025-11-25', '2026-07-28'],
      only: values.only ?? [],
      without: values.without ?? [],
    },
    isVerbose: values.verbose === true,
  };
}

async function conformance({ wanted, isVerbose }: Plan): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'drawbridge-conformance-run-'));
  try {
    const node = await node22(root);
    // A copy: who builds while this runs does not change what runs.
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    await bundle(folder);
    const pairs = await matrix(wanted, (args) => run(node, [RUNNER, ...args]).then(({ output }) => output));
    const outcomes = await inParallel(pairs, (pair) => play(pair, node, folder));
    process.stdout.write(table(outcomes, { verbose: isVerbose }));
    return outcomes.every(({ passed }) => passed) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play(pair: Pair, node: string, folder: string): Promise<Outcome> {
  const { host, scenario, revision } = pair;
  const program = join(folder, 'dist/launch.cjs');
  const command = `${process.execPath} ${join(folder, 'client.mjs')} ${host} ${program} ${join(folder, 'browser')}`;
  const args = [RUNNER, 'client', '--command', command, '--scenario', scenario];
  const startedAt = performance.now();
  const { code, output } = await run(node, [
    ...args,
    '--spec-version',
    revision,
    '--force',
    '--timeout',
    String(SCENARIO_MS),
  ]);
  return { ...pair, passed: code === 0, output, seconds: (performance.now() - startedAt) / 1000 };
}

function run(node: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const options = { cwd: tmpdir(), maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(node, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

async function bundle(folder: string): Promise<void> {
  const source = (name: string) => new URL(name, import.meta.url).pathname;
  const shape = { bundle: true, platform: 'node', logLevel: 'warning' } as const;
  await build({
    ...shape,
    entryPoints: [source('client.ts')],
    outfile: join(folder, 'client.mjs'),
    format: 'esm',
    banner: {
      js: "import{createRequire as toRequire}from'node:module';const require=toRequire(import.meta.url);",
    },
  });
  const browser = join(folder, 'browser');
  await build({
    ...shape,
    entryPoints: [source('browser.ts')],
    outfile: browser,
    format: 'cjs',
    banner: { js: `#!${process.execPath}` },
  });
  chmodSync(browser, 0o755);
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const worker = async () => {
    for (const [at, item] of rest) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return results;
}

await commandLine(USAGE, readPlan, async (plan) => process.exit(await conformance(plan)));
