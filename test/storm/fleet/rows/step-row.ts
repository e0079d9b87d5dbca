import { quantile } from '../../../helpers/quantile.ts';
import type { Row } from '../../rows.ts';
import type { Point, StepRun } from '../steps.ts';
import type { FleetWorld } from '../world.ts';

export type Tell = (text: string) => void;

/** Some refreshes have a call less than those of the trials: their program does not come to its last one. */
const MOST_NOT_REACHED = 0.05;

export const SECOND_MS = 1_000;
/** A token that may be spent is tried again after 120 s; another machine cannot see that its owner is dead. */
export const MAYBE_SERVED_MS = 135_000;
/** How long a token request may be under way when it is stopped: so that all are where they are to be before anything happens. */
export const PATIENCE_MS = 240_000;

/** The same at each of the points, so many times. */
export async function rounds(
  points: readonly Point[],
  count: number,
  tell: Tell,
  run: (round: number) => Promise<readonly StepRun[]>,
): Promise<readonly StepRun[]> {
  const done: StepRun[] = [];
  for (let round = 0; round < count; round++) {
    tell(`round ${round + 1} of ${count}, ${points.length} refreshes each`);
    done.push(...(await run(round)));
  }
  return done;
}

interface Judged {
  /** Those in which the runs were. */
  readonly worlds: readonly FleetWorld[];
  readonly mayBeLost: (run: StepRun) => boolean;
  readonly most: number;
  readonly more?: Readonly<Record<string, number | string>>;
  readonly missed?: readonly string[];
}

/** The figures of runs at single calls, and what was promised of them. */
export function stepRow(
  what: string,
  done: readonly StepRun[],
  { worlds, mayBeLost, most, more = {}, missed = [] }: Judged,
): Row {
  const sum = (count: (world: FleetWorld) => number) =>
    worlds.reduce((total, world) => total + count(world), 0);
  const replays = sum(({ authority }) => authority.counters.replays);
  const browsers = sum(({ browser, signIns }) => browser.opened.length - signIns);
  const lost = done.filter(({ isLost }) => isLost);
  const outside = lost.filter((run) => !mayBeLost(run));
  const times = done.flatMap(({ servedAfterMs }) => (servedAfterMs === undefined ? [] : [servedAfterMs]));
  const slowest = Math.max(0, ...times);
  const unserved = done.filter((run) => run.servedAfterMs === undefined && !run.isLost);
  const missedHits = done.filter(({ wasHit }) => !wasHit);
  const [first] = unserved;
  const behind = done.find(
    ({ victimServedAfterMs, victimWhy, isLost }) =>
      !isLost && victimServedAfterMs === undefined && victimWhy !== undefined,
  );
  return {
    what,
    figures: {
      refreshes: sum(({ authority }) => authority.counters.refreshes),
      hit: `${done.length - missedHits.length} of ${done.length}`,
      replays,
      'logins lost in the residue': lost.length - outside.length,
      'logins lost outside': outside.length,
      unserved: unserved.length,
      'served p50': seconds(quantile(times, 0.5)),
      'served at most': seconds(slowest),
      browsers,
      ...more,
    },
    missed: [
      ...unless(
        done.length > 0 && missedHits.length <= done.length * MOST_NOT_REACHED,
        `each is hit where it is meant to (${missedHits[0]?.point.call.step})`,
      ),
      ...unless(outside.length === 0, `no login lost outside the residue (${describe(outside[0])})`),
      ...unless(replays <= lost.length, 'no replay that is not counted'),
      ...unless(first === undefined, `all are served in the end (${describe(first)})`),
      ...unless(behind === undefined, `so are those that were hit (${behind?.victimWhy})`),
      ...unless(slowest <= most, `served within ${seconds(most)}`),
      ...unless(browsers === 0, 'no browser'),
      ...missed,
    ],
    details: done.map(detail),
  };
}

function detail({ point, wasHit, servedAfterMs, victimServedAfterMs, why, victimWhy }: StepRun): string {
  const when = (ms: number | undefined) => (ms === undefined ? 'not served' : `served after ${seconds(ms)}`);
  const { step, name, isResidue } = point.call;
  const at = `${step} ${point.at} ${name}${isResidue ? ' (residue)' : ''}${wasHit ? '' : ' (not hit)'}`;
  return `${at}: ${when(servedAfterMs)} ${why ?? ''}; itself ${when(victimServedAfterMs)} ${victimWhy ?? ''}`;
}

function describe(run: StepRun | undefined): string {
  if (run === undefined) return '';
  const { step, name, on } = run.point.call;
  return `${step} ${run.point.at} ${name} ${on}: ${run.why}`;
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const unless = (holds: boolean, promise: string): string[] => (holds ? [] : [promise]);
export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
export const milliseconds = (ms: number) => `${Math.round(ms)} ms`;
