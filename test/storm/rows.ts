import { quantile } from '../helpers/quantile.ts';
import { STEPS } from '../peers/faults/refresh-steps.ts';
import { HTTP_PROGRAMS } from '../peers/programs/package-folder.ts';
import { ANSWERS, badAnswer } from './answers.ts';
import { coldStarts } from './cold-starts.ts';
import { type LapseFigures, lapses } from './lapses.ts';
import { isResidue, type KillRun, killMatrix } from './matrix.ts';
import { type ProgramStormFigures, programStorm } from './programs.ts';

/** How large each row is. */
export interface Scale {
  readonly cold: number;
  readonly instances: number;
  readonly lapses: number;
  readonly kills: number;
  readonly runs: number;
  readonly atOnce: number;
  /** Of the calls of a refresh, each n-th is one at which something happens. */
  readonly every: number;
  /** Refreshes onto which a failover falls; failovers, where each falls onto one. */
  readonly failovers: number;
  /** Engines side by side, where each failover falls onto one refresh. */
  readonly groups: number;
  /** For how long the engine is away. */
  readonly awaySeconds: number;
  readonly scaleInstances: number;
  readonly scaleLapses: number;
  readonly seed: number;
}

/** test/README.md, "Storms". */
export const FULL: Scale = {
  cold: 50,
  instances: 32,
  lapses: 200,
  kills: 500,
  runs: 100,
  atOnce: 4,
  every: 1,
  failovers: 200,
  groups: 12,
  awaySeconds: 600,
  scaleInstances: 1_000,
  scaleLapses: 100,
  seed: 20_261_121,
};

export interface Row {
  readonly what: string;
  readonly figures: Readonly<Record<string, number | string>>;
  /** What was promised and did not come; empty: all did. */
  readonly missed: readonly string[];
  /** One line for each run. */
  readonly details?: readonly string[];
}

const USABLE_MS = 5_000;
const WAITER_MS = 500;
const NEXT_SERVED_MS = 20_000;

export type RowName =
  | 'answers'
  | 'cold'
  | 'lapses'
  | 'kills'
  | 'revoked'
  | 'strict'
  | 'grace'
  | 'programs'
  | 'own-provider';

export const rows: Readonly<Record<RowName, (scale: Scale, tell: (text: string) => void) => Promise<Row>>> = {
  cold: coldRow,
  lapses: (scale, tell) => lapseRow({ ...scale, kills: 0 }, tell),
  kills: lapseRow,
  revoked: (scale, tell) => lapseRow({ ...scale, lapses: 1, kills: 0 }, tell),
  answers: (_, tell) => answerRow(tell),
  strict: (scale, tell) => matrixRow(scale, false, tell),
  grace: (scale, tell) => matrixRow(scale, true, tell),
  programs: programRow,
  'own-provider': ownProviderRow,
};

async function coldRow({ cold }: Scale): Promise<Row> {
  const { registrations, tabs, exchanges, failed, allServedAfterMs } = await coldStarts(cold);
  return {
    what: `${cold} cold starts at once, nobody signed in`,
    figures: {
      registrations,
      tabs,
      exchanges,
      failed: failed.length,
      'all served after consent': seconds(allServedAfterMs),
    },
    missed: [
      ...unless(registrations === 1 && tabs === 1 && exchanges === 1, 'one registration, tab, exchange'),
      ...unless(failed.length === 0, `no failed call (${failed[0]})`),
      ...unless(allServedAfterMs <= USABLE_MS, 'all served within 5 s of consent'),
    ],
  };
}

async function lapseRow(scale: Scale, tell: (text: string) => void): Promise<Row> {
  const { instances, kills, seed } = scale;
  const onLapse = (lapse: number) => tell(`lapse ${lapse} of ${scale.lapses}`);
  const found = await lapses({ instances, lapses: scale.lapses, kills, seed, onLapse });
  const beyond = quantile(found.beyondServerMs, 0.99);
  return {
    what: `${instances} live instances × ${scale.lapses} revoked tokens${kills === 0 ? '' : `, ${kills} kill -9`}`,
    figures: {
      'refresh POSTs': found.refreshPosts,
      replays: found.replays,
      'sign-ins': found.signIns,
      'corrupt records': found.corrupt,
      served: found.served,
      failed: found.failed.length,
      'wait p50': milliseconds(quantile(found.waitsMs, 0.5)),
      'wait p99': milliseconds(quantile(found.waitsMs, 0.99)),
      'p99 beyond the server': milliseconds(beyond),
      ...(kills === 0 ? {} : { kills: found.kills, 'died at': diedAt(found) }),
    },
    missed: [
      ...unless(found.refreshPosts === scale.lapses, 'one refresh POST per lapse'),
      ...unless(found.replays === 0 && found.signIns === 0, 'no replay, no sign-in'),
      ...unless(found.corrupt === 0, 'no corrupt record'),
      ...unless(found.kills === kills, `${kills} kills`),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
      // One lapse is each process's first, with the code to load; who waits for one that is killed begins again.
      ...unless(
        kills > 0 || scale.lapses === 1 || beyond <= WAITER_MS,
        'p99 of the wait within the server’s time + 500 ms',
      ),
    ],
  };
}

/** Half of them programs of every kind, a quarter bridges, a quarter commands. */
async function programRow({ instances, lapses }: Scale, tell: (text: string) => void): Promise<Row> {
  const [bridges, commands] = [Math.floor(instances / 4), Math.floor(instances / 4)];
  const programs = Array.from(
    { length: instances - bridges - commands },
    (_, at) => HTTP_PROGRAMS[at % HTTP_PROGRAMS.length] ?? HTTP_PROGRAMS[0],
  );
  const found = await programStorm({
    programs,
    bridges,
    commands,
    lapses,
    onLapse: (lapse) => tell(`lapse ${lapse} of ${lapses}`),
  });
  return {
    what: `${programs.length} programs, ${bridges} bridges and ${commands} commands × ${lapses} lapses`,
    figures: programFigures(found),
    missed: [
      ...unless(found.refreshPosts === lapses, 'one refresh POST per lapse'),
      ...unless(found.replays === 0 && found.signIns === 0, 'no replay, no sign-in'),
      ...unless(found.failed.length === 0, `no failed call (${found.failed[0]})`),
    ],
  };
}

/** For comparison, so nothing is promised: the SDK's own OAuth code, with a provider that keeps the login in a file. */
async function ownProviderRow({ instances, lapses }: Scale, tell: (text: string) => void): Promise<Row> {
  const found = await programStorm({
    programs: Array.from({ length: instances }, () => 'own-provider'),
    bridges: 0,
    commands: 0,
    lapses,
    onLapse: (lapse) => tell(`lapse ${lapse} of ${lapses}`),
  });
  return {
    what: `${instances} programs with the SDK's own OAuth code and a file × ${lapses} lapses`,
    figures: programFigures(found),
    missed: [],
  };
}

function programFigures(found: ProgramStormFigures): Row['figures'] {
  return {
    'refresh POSTs': found.refreshPosts,
    replays: found.replays,
    'lapses that ended the login': found.loginsLost,
    'sign-ins': found.signIns,
    tabs: found.tabs,
    'served after a lapse': found.tookMs.length,
    'failed calls': found.failed.length,
    'served p50': milliseconds(quantile(found.tookMs, 0.5)),
    'served p99': milliseconds(quantile(found.tookMs, 0.99)),
  };
}

async function answerRow(tell: (text: string) => void): Promise<Row> {
  const figures: Record<string, string> = {};
  const missed: string[] = [];
  for (const [name, [fault, told]] of Object.entries(ANSWERS)) {
    tell(name);
    // A black hole is waited for as long as a token request may take: once is enough.
    const found = await badAnswer(fault, fault.kind === 'black-hole' ? 1 : 3);
    figures[name] = `healed after ${seconds(found.healedAfterMs)}`;
    missed.push(
      ...unless(found.before === 'served' && found.after === 'served', `${name}: served before and after`),
      ...unless(told.test(found.told), `${name}: an error that says why (${found.told})`),
      ...unless(found.refreshTokenKept && found.tabs === 0 && found.replays === 0, `${name}: nothing lost`),
    );
  }
  return { what: 'a refresh that is answered badly, three times in a row', figures, missed };
}

function diedAt({ diedAt: died }: LapseFigures): string {
  return STEPS.flatMap((step) => (died.has(step) ? [`${step} ${died.get(step)}`] : [])).join(', ');
}

async function matrixRow(
  { runs, atOnce }: Scale,
  grace: boolean,
  tell: (text: string) => void,
): Promise<Row> {
  let done = 0;
  const found = await killMatrix({
    runs,
    atOnce,
    grace,
    onRun: () => tell(`run ${++done} of ${runs * STEPS.length}`),
  });
  for (const run of found.runs) if (isOdd(run, grace)) tell(`${JSON.stringify(run)}\n`);
  const killed = found.runs.filter(({ call }) => call !== undefined);
  const residue = killed.filter(isResidue);
  const outside = killed.filter((run) => !isResidue(run));
  const prompted = outside.filter(({ signedInAgain }) => signedInAgain);
  const times = found.runs.flatMap(({ servedAfterMs }) =>
    servedAfterMs === undefined ? [] : [servedAfterMs],
  );
  const slowest = Math.max(...times);
  const unserved = found.runs.find(({ servedAfterMs }) => servedAfterMs === undefined);
  return {
    what: `killed at ${STEPS.length} steps × ${runs}, ${grace ? 'server with retry grace' : 'strict server'}`,
    figures: {
      killed: killed.length,
      'corrupt records': found.corrupt,
      'sign-ins outside the residue': prompted.length,
      'runs in the residue': residue.length,
      'sign-ins in the residue': residue.filter(({ signedInAgain }) => signedInAgain).length,
      'next served p50': seconds(quantile(times, 0.5)),
      'next served at most': seconds(slowest),
      unserved: found.runs.length - times.length,
    },
    missed: [
      ...unless(killed.length === found.runs.length, 'each run dies where it is meant to'),
      ...unless(found.corrupt === 0, 'no corrupt record'),
      ...unless(prompted.length === 0, `no sign-in outside the residue (${prompted[0]?.step})`),
      ...unless(!grace || residue.every(({ signedInAgain }) => !signedInAgain), 'no sign-in with grace'),
      ...unless(unserved === undefined, `the next instance is served (${unserved?.step}: ${unserved?.why})`),
      ...unless(slowest <= NEXT_SERVED_MS, 'the next instance is served within 20 s'),
    ],
  };
}

function isOdd(run: KillRun, grace: boolean): boolean {
  const { servedAfterMs = Number.POSITIVE_INFINITY, signedInAgain } = run;
  return servedAfterMs > NEXT_SERVED_MS || (signedInAgain && (grace || !isResidue(run)));
}

function unless(holds: boolean, promise: string): string[] {
  return holds ? [] : [promise];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`;
}
