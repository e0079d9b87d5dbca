import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Plugin } from 'esbuild';
import { bundleWorker } from '../helpers/bundle-worker.ts';
import type { CheckFigures } from './check.ts';
import { type Change, WITHOUT } from './without.ts';

const HELP = `npm run model -- [options]
  --schedules N    how many runs (100000)
  --seed N         what is random follows from it (1)
  --jobs N         processes side by side (as many as processors)
  --without NAME   one of ${Object.keys(WITHOUT).join(', ')}:
                   the model has to find what happens without it
`;
/** Errors are many here, and nobody looks at where they came from; what a schedule leaves behind is gone with the next. */
const NODE_FLAGS = ['--stack-trace-limit=0', '--max-semi-space-size=64'];
const root = new URL('../..', import.meta.url).pathname;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      without: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const change = values.without === undefined ? [] : WITHOUT[values.without];
  if (change === undefined) {
    process.stderr.write(`--without: expected one of ${Object.keys(WITHOUT).join(', ')}\n`);
    return 2;
  }
  const [schedules, seed, jobs] = [Number(values.schedules), Number(values.seed), Number(values.jobs)];
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-model-'));
  try {
    const startedAt = performance.now();
    const file = await buildWorker(folder, change);
    const share = Math.ceil(schedules / jobs);
    const done = new Map<number, number>();
    const shown = (job: number) => (count: number) => {
      done.set(job, count);
      const sum = [...done.values()].reduce((a, b) => a + b, 0);
      const perSecond = sum / ((performance.now() - startedAt) / 1000);
      process.stderr.write(`\r${sum} of ${schedules}, ${Math.round(perSecond)} a second   `);
    };
    const all = await Promise.all(
      Array.from({ length: jobs }, (_, job) => runWorker(file, share, seed + job * 1_000_003, shown(job))),
    );
    const figures = joined(all);
    process.stderr.write('\n');
    process.stdout.write(
      `${JSON.stringify({ seed, jobs, without: values.without, seconds: Math.round((performance.now() - startedAt) / 1000), ...figures }, null, 2)}\n`,
    );
    return (figures.broken === undefined) === (values.without === undefined) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function joined(all: readonly CheckFigures[]): CheckFigures {
  const sum = (
    name: 'schedules' | 'refreshes' | 'failovers' | 'rolledBack' | 'operations' | 'virtualHours',
  ) => all.reduce((total, figures) => total + figures[name], 0);
  const residue: Record<string, number> = {};
  for (const figures of all)
    for (const [why, count] of Object.entries(figures.residue)) residue[why] = (residue[why] ?? 0) + count;
  return {
    schedules: sum('schedules'),
    refreshes: sum('refreshes'),
    failovers: sum('failovers'),
    rolledBack: sum('rolledBack'),
    operations: sum('operations'),
    virtualHours: Math.round(sum('virtualHours')),
    residue,
    broken: all.find(({ broken }) => broken !== undefined)?.broken,
  };
}

function runWorker(
  file: string,
  count: number,
  seed: number,
  onDone: (done: number) => void,
): Promise<CheckFigures> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(file, [String(count), String(seed)], { execArgv: NODE_FLAGS });
    child.on('message', (message: { done?: number; figures?: CheckFigures }) => {
      if (message.done !== undefined) onDone(message.done);
      if (message.figures === undefined) return;
      resolve(message.figures);
      child.kill();
    });
    child.once('exit', (code, signal) => reject(new Error(`a worker ended: ${code ?? signal}`)));
  });
}

function buildWorker(folder: string, changes: readonly Change[]): Promise<string> {
  return bundleWorker('test/model/worker.ts', join(folder, 'worker.mjs'), [changing(changes)]);
}

/** The program with some of its text replaced; a text that is not there, or there twice, ends the build. */
function changing(changes: readonly Change[]): Plugin {
  return {
    name: 'without',
    setup: ({ onLoad }) => {
      for (const path of new Set(changes.map(({ file }) => file))) {
        onLoad({ filter: new RegExp(`/${path.replaceAll('.', '\\.')}$`) }, async () => {
          let text = await readFile(join(root, path), 'utf8');
          for (const { file, from, to } of changes) {
            if (file !== path) continue;
            if (text.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`);
            text = text.replace(from, to);
          }
          return { contents: text, loader: 'ts' };
        });
      }
    },
  };
}

process.exitCode = await main();
