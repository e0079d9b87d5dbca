import { parseArgs } from 'node:util';
import { commandLine, wholeNumber } from '../helpers/command-line.ts';
import { hasRedis } from '../peers/processes/tools.ts';
import { fleetRows } from './fleet/rows/fleet-rows.ts';
import { FULL, type Row, rows, type Scale } from './rows.ts';

const HELP = `npm run storm -- [flags]
  --only NAME          cold, lapses, kills, revoked, answers, strict, grace, programs or own-provider;
                       repeatable (default: all of these)
                       with Redis: fleet (all of the next but scale and single-failovers), ${Object.keys(fleetRows).join(', ')}
  --cold N             cold starts at once (${FULL.cold})
  --instances N        live instances (${FULL.instances})
  --lapses N           revoked tokens (${FULL.lapses})
  --kills N            kill -9 among them (${FULL.kills})
  --runs N             kills at each step of the matrix (${FULL.runs})
  --at-once N          runs of the matrix side by side (${FULL.atOnce})
  --every N            of the calls of a refresh, each n-th is one at which something happens (${FULL.every})
  --failovers N        refreshes onto which a failover falls, and failovers of fleet-single-failovers (${FULL.failovers})
  --groups N           engines of fleet-single-failovers side by side (${FULL.groups})
  --away-seconds N     how long the engine is away (${FULL.awaySeconds})
  --scale-instances N  instances of fleet-scale, in 8 processes (${FULL.scaleInstances})
  --scale-lapses N     revoked tokens of fleet-scale (${FULL.scaleLapses})
  --seed N             what is random follows from it (${FULL.seed})
  --json               figures as JSON
  --details            a line for each run, on stderr; always where a promise is missed
`;
const NUMBERS = {
  cold: 'cold',
  instances: 'instances',
  lapses: 'lapses',
  kills: 'kills',
  runs: 'runs',
  'at-once': 'atOnce',
  every: 'every',
  failovers: 'failovers',
  groups: 'groups',
  'away-seconds': 'awaySeconds',
  'scale-instances': 'scaleInstances',
  'scale-lapses': 'scaleLapses',
  seed: 'seed',
} as const satisfies Readonly<Record<string, keyof Scale>>;

interface Plan {
  readonly scale: Scale;
  readonly wanted: readonly string[];
  readonly json: boolean;
  readonly details: boolean;
}

const all: Readonly<Record<string, (typeof fleetRows)[string]>> = { ...rows, ...fleetRows };

function readPlan(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: 'string' as const }])),
      only: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      details: { type: 'boolean' },
    },
  });
  const unknown = values.only?.find((name) => !(name in all) && name !== 'fleet');
  if (unknown !== undefined)
    throw new TypeError(`--only ${unknown}: expected one of ${Object.keys(all).join(', ')}`);
  const wanted = chosen(values.only, Object.keys(all));
  if (wanted.some((name) => name in fleetRows) && !hasRedis())
    throw new TypeError('--only fleet: needs redis-server, redis-sentinel and setpriv');
  return {
    scale: scaleFrom(values),
    wanted,
    json: values.json === true,
    details: values.details === true,
  };
}

async function storm({ scale, wanted, json, details: isDetailed }: Plan): Promise<number> {
  process.stderr.write(`seed ${scale.seed}\n`);
  const done: Row[] = [];
  if (!json) process.stdout.write('| storm | figures | promise |\n|---|---|---|\n');
  for (const [name, run] of Object.entries(all)) {
    if (!wanted.includes(name)) continue;
    const startedAt = performance.now();
    const row = await run(scale, (text) => process.stderr.write(`\r${name}: ${text}   `));
    process.stderr.write(
      `\r${name}: ${Math.round((performance.now() - startedAt) / 1000)} s              \n`,
    );
    done.push(row);
    const { details = [], missed } = row;
    if (isDetailed || missed.length > 0) process.stderr.write(details.map((text) => `  ${text}\n`).join(''));
    if (!json) process.stdout.write(line(row));
  }
  if (json) process.stdout.write(`${JSON.stringify({ scale, rows: done }, null, 2)}\n`);
  return done.every(({ missed }) => missed.length === 0) ? 0 : 1;
}

/** They take the whole machine. */
const ALONE: readonly string[] = ['fleet-scale', 'fleet-single-failovers'];

/** `fleet` stands for all storms of a fleet; those need an engine, and run only when they are asked for. */
function chosen(only: readonly string[] | undefined, all: readonly string[]): readonly string[] {
  if (only === undefined) return Object.keys(rows);
  const isFleet = only.includes('fleet');
  return all.filter(
    (name) => only.includes(name) || (isFleet && name.startsWith('fleet-') && !ALONE.includes(name)),
  );
}

function scaleFrom(values: Readonly<Record<string, unknown>>): Scale {
  const given = Object.entries(NUMBERS).flatMap(([name, field]) => {
    const text = values[name];
    if (text === undefined) return [];
    return [[field, wholeNumber(`--${name}`, String(text))]];
  });
  return { ...FULL, ...Object.fromEntries(given) };
}

/** One line of a Markdown table. */
function line({ what, figures, missed }: Row): string {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const verdict = missed.length === 0 ? 'kept' : `MISSED: ${missed.join('; ')}`;
  return `| ${what} | ${parts.join(' · ')} | ${verdict} |\n`;
}

await commandLine(HELP, readPlan, storm);
