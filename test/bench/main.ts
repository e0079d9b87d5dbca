import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { commandLine } from '../helpers/command-line.ts';
import type { Collection } from './figures.ts';
import { type Flags, readFlags, USAGE } from './flags.ts';
import { chart } from './report/chart.ts';
import { figuresTable, growthTable, verdictTable } from './report/table.ts';
import { judge } from './report/verdicts.ts';
import { BRIDGE, DIRECT, FETCH, OTHER, targets } from './rows.ts';
import { type Growth, measure, measureGrowth } from './run.ts';
import { Stage } from './stage.ts';

/**
 * What the bridge costs: the same work with it, without it and, where asked for, by way of another bridge, in turn, in one run. Ratios carry
 * from machine to machine; figures do not. Nothing here is part of `npm test`: a busy machine is no fault of the program.
 *
 * What was tried for the sake of these figures, on a busy machine with two processors, Node 20 unless another is named:
 *
 * kept
 * - launch.cjs, `--liftoff-only` on Node 20: 184 → 124 ms of processor time and 93 → 58 MB at the start; calls take 0.69 → 0.80 s per 10,000.
 * - launch.cjs, heap growing by 20 %: some 10 MB less after load, for nothing.
 * - protocol/scan.ts, looking at an answer instead of parsing it: peak of a 32 MB answer 128 → 64 MB as JSON, 150 → 117 MB as an event stream (96
 *   with the small heap); 13 instead of 50 ms of processor time for one long string.
 *
 * - host/writer.ts, one write for all answers of a turn of the event loop instead of one each; platform/stop.ts instead of an AbortController for
 *   each request; a body that is there whole taken in one piece; promises only where something is waited for: together 82 → 42 µs of processor
 *   time a call at 32 in flight (undici's `dispatch` alone, between two pipes: 32 µs).
 *
 * - one file for what a start always comes to (.build/build.ts) instead of fifty small ones: 119 → 100 ms of processor time at the start.
 *
 * - .build/ascii.ts, text that V8 keeps with one byte a character: 117.6 → 115.5 ms of processor time at the start, 0.5 MB less.
 * - a shared store: of the client library the part that reads and writes, its files read beside the main one, the login asked for while the bridge is composed,
 *   and who owns a lock found out with the first lock: 28 → 19 ms of processor time more than without such a store, 28 → 16 ms until the answer (medians
 *   of 100 starts of each in turn, two programs beside them). What is left, about: 78 KB to compile (2.5 ms) and the functions of it that run (4 ms), one more
 *   collection of garbage (1.5 ms), and the work itself: address and key (2.5 ms), connection and one command (3 ms), opening the cell (3 ms).
 *
 * not kept
 * - semi-space growth factor 1 (once kept): 25 MB less after load, but 48 → 75 µs a call.
 * - scanning byte by byte instead of four at a time: 45 ms for 32 MB, as long as `JSON.parse`.
 * - `--optimize-for-size`: memory as above, but 0.69 → 1.03 s per 10,000 calls.
 * - `--max-semi-space-size` by itself: does little once the process runs (135 → 122 … 134 MB). `--max-lazy`, `--v8-pool-size=1`: nothing.
 * - `--no-wasm-tier-up`: slower at the start (184 → 212 ms), no less memory.
 * - the compile cache of Node 22: 104 → 90 ms of processor time. Its default folder lies in the system's temporary folder, where others could
 *   put code (.github/SECURITY.md, attack 34), and ours is not known before the settings are read.
 */

/** Above this load per processor at the start, ratios say more about the neighbours. */
const BUSY_LOAD = 0.5;

const say = (text: string) => process.stderr.write(`${text}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

function machine(): string {
  const [load = 0] = loadavg();
  const busy = load / availableParallelism() > BUSY_LOAD ? ' (BUSY: do not trust the ratios)' : '';
  return `${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${process.platform}, load ${load.toFixed(2)}${busy}`;
}

async function bench(flags: Flags): Promise<boolean> {
  const where = machine();
  say(where);
  await using stage = await Stage.create(flags.program);
  const collection = await measure(stage, flags, say);
  const growth = flags.growth ? await measureGrowth(stage, flags, say) : [];
  print(`${where}\nmin / median / max of ${flags.repeats}\n\n${figuresTable(collection)}`);
  for (const each of growth) print(`\n${growthTable(each.title, each.subjects, each.collection)}`);
  const verdicts = judge(collection, targets);
  print(`\n${verdictTable(verdicts)}`);
  await keep(flags, where, collection, growth);
  return verdicts.every(({ met }) => met);
}

async function keep(flags: Flags, where: string, collection: Collection, growth: Growth[]): Promise<void> {
  const { json, vs } = flags;
  if (json !== undefined) {
    const { program: _, ...asked } = flags;
    const all = { machine: where, asked, figures: collection, growth };
    await writeFile(json, `${JSON.stringify(all, undefined, 2)}\n`);
  }
  if (flags.chart !== undefined) {
    const names = {
      [BRIDGE]: 'mcp-drawbridge',
      [DIRECT]: 'no bridge (undici)',
      [FETCH]: 'no bridge (fetch)',
      ...(vs === undefined ? {} : { [OTHER]: 'the most used bridge' }),
    };
    await writeFile(flags.chart, chart(collection, names, 'What the bridge costs'));
  }
}

function readOwnFlags(argv: readonly string[]): Flags {
  const flags = readFlags(argv);
  if (!existsSync(flags.program[1] as string)) throw new TypeError(`${flags.program[1]} is not there`);
  return flags;
}

await commandLine(USAGE, readOwnFlags, async (flags) => ((await bench(flags)) || !flags.check ? 0 : 1));
