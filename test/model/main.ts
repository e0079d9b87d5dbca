import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Plugin } from 'esbuild';
import { bundleWorker } from '../helpers/bundle-worker.ts';
import { commandLine, wholeNumber } from '../helpers/command-line.ts';
import type { CheckFigures } from './check.ts';
import { type Change, WITHOUT } from './without.ts';

/** Schedules per process: one that ran millions would keep what fast-check remembers of each. */
const PART = 50_000;
const HELP = `npm run model -- [flags]
  --schedules N    how many runs (100000)
  --seed N         what is random follows from it (1)
  --jobs N         processes side by side (as many as processors)
  --from N         without the first N, a multiple of ${PART}: goes on with a run that was ended
  --keep-going     go on after a broken promise
  --without NAME   one of ${Object.keys(WITHOUT).join(', ')}:
                   the model has to find what happens without it
Ctrl-C ends it with the figures of the parts that are done (${PART} schedules each), and says from where to go on.
`;
/** Errors are many here, and nobody looks at where they came from; what a schedule leaves behind is gone with the next. */
const NODE_FLAGS = ['--stack-trace-limit=0', '--max-semi-space-size=64'];
const root = new URL('../..', import.meta.url).pathname;

interface Plan {
  readonly schedules: number;
  readonly seed: number;
  readonly jobs: number;
  readonly from: number;
  readonly keepGoing: boolean;
  readonly without: string | undefined;
}

function readPlan(argv: readonly string[]): Plan {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      schedules: text,
      seed: text,
      jobs: text,
      from: text,
      'keep-going': { type: 'boolean', default: false },
      without: text,
    },
  });
  const whole = (name: 'schedules' | 'seed' | 'jobs' | 'from', otherwise: number, least: number) =>
    values[name] === undefined ? otherwise : wholeNumber(`--${name}`, values[name], least);
  const plan: Plan = {
    schedules: whole('schedules', 100_000, 1),
    seed: whole('seed', 1, 0),
    jobs: whole('jobs', availableParallelism(), 1),
    from: whole('from', 0, 0),
    keepGoing: values['keep-going'],
    without: values.without,
  };
  if (!(plan.from < plan.schedules && plan.from % PART === 0))
    throw new TypeError(`--from ${plan.from}: expected a multiple of ${PART} that is less than --schedules`);
  if (plan.without !== undefined && !(plan.without in WITHOUT))
    throw new TypeError(`--without ${plan.without}: expected one of ${Object.keys(WITHOUT).join(', ')}`);
  return plan;
}

async function model({ schedules, seed, jobs, from, keepGoing, without }: Plan): Promise<number> {
  const change = without === undefined ? [] : (WITHOUT[without] ?? []);
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-model-'));
  try {
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 1000);
    const file = await buildWorker(folder, change);
    const program = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
      .slice(0, 12);
    const parts = partsOf(schedules, seed).slice(from / PART);
    const done = new Map<Part, CheckFigures>();
    const running = new Map<number, number>();
    const unfinished = new Set(parts);
    let isEnding = false;
    const end = () => {
      isEnding = true;
      for (const child of children) child.kill();
    };
    process.once('SIGINT', end).once('SIGTERM', end);
    const show = () => {
      const sum = [...[...done.values()].map((part) => part.schedules), ...running.values()].reduce(
        (a, b) => a + b,
        0,
      );
      process.stderr.write(
        `\r${from + sum} of ${schedules}, ${Math.round(sum / Math.max(1, seconds()))} a second   `,
      );
    };
    const work = async () => {
      for (let part = parts.shift(); part !== undefined && !isEnding; part = parts.shift()) {
        const { seed } = part;
        const figures = await runWorker(file, part, (count) => {
          running.set(seed, count);
          show();
        });
        running.delete(seed);
        if (figures === undefined && isEnding) return;
        if (figures === undefined) throw new Error(`the process of seed ${seed} ended without figures`);
        done.set(part, figures);
        unfinished.delete(part);
        if (figures.broken === undefined) continue;
        process.stderr.write(`\rseed ${seed}, after ${figures.schedules}: ${figures.broken.promise}\n`);
        if (!keepGoing) parts.length = 0;
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
    const [next] = unfinished;
    // A part that is done behind one that is not is left out: with --from it runs again.
    const isCounted = ({ first }: Part) => next === undefined || first < next.first;
    const figures = joined([...done].flatMap(([part, its]) => (isCounted(part) ? [its] : [])));
    process.stderr.write('\n');
    if (next !== undefined) process.stderr.write(`to go on: --from ${next.first}\n`);
    process.stdout.write(
      `${JSON.stringify({ seed, program, from, without, seconds: seconds(), ...figures }, null, 2)}\n`,
    );
    if (isEnding) return 1;
    return (figures.broken === undefined) === (without === undefined) ? 0 : 1;
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

interface Part {
  /** The number of its first schedule in the run. */
  readonly first: number;
  readonly schedules: number;
  readonly seed: number;
}

/** The same parts for the same seed, however many processes there are. */
function partsOf(schedules: number, seed: number): Part[] {
  return Array.from({ length: Math.ceil(schedules / PART) }, (_, index) => ({
    first: index * PART,
    schedules: Math.min(PART, schedules - index * PART),
    seed: seed + index * 1_000_003,
  }));
}

const children = new Set<ChildProcess>();

/** Undefined if the process was ended before it had figures. */
function runWorker(
  file: string,
  { schedules, seed }: Part,
  onDone: (done: number) => void,
): Promise<CheckFigures | undefined> {
  return new Promise((resolve) => {
    const child = fork(file, [String(schedules), String(seed)], { execArgv: NODE_FLAGS });
    children.add(child);
    child.on('message', (message: { done?: number; figures?: CheckFigures }) => {
      if (message.done !== undefined) onDone(message.done);
      if (message.figures === undefined) return;
      resolve(message.figures);
      child.kill();
    });
    child.once('exit', () => {
      children.delete(child);
      resolve(undefined);
    });
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

await commandLine(HELP, readPlan, model);
