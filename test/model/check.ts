import fc from 'fast-check';
import type { Timing } from '../../src/store/shared/protocol/timing.ts';
import { type Schedule, schedules } from './schedule.ts';
import { FleetWorld, type Verdict, type WorldOptions } from './world.ts';

export interface CheckOptions {
  readonly schedules: number;
  readonly seed: number;
  /** Other waits than the program's. */
  readonly timing?: Timing;
  readonly onSchedule?: (done: number) => void;
}

export interface CheckFigures {
  readonly schedules: number;
  readonly refreshes: number;
  readonly failovers: number;
  /** Writes that failovers lost. */
  readonly rolledBack: number;
  readonly operations: number;
  readonly virtualHours: number;
  /** Logins that ended in the stated residue, and why. */
  readonly residue: Readonly<Record<string, number>>;
  /** The smallest schedule that breaks a promise, and which. */
  readonly broken: { readonly promise: string; readonly schedule: Schedule } | undefined;
}

export function runSchedule(schedule: Schedule, options?: WorldOptions): Promise<Verdict> {
  return new FleetWorld(schedule, options).run();
}

/** Runs so many schedules that follow from the seed. The first that breaks a promise is made small, and ends it. */
export async function check({
  schedules: count,
  seed,
  timing,
  onSchedule,
}: CheckOptions): Promise<CheckFigures> {
  const sum = { schedules: 0, refreshes: 0, failovers: 0, rolledBack: 0, operations: 0, virtualMs: 0 };
  const residue: Record<string, number> = {};
  let isShrinking = false;
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const {
      broken,
      residue: lost,
      figures,
    } = await runSchedule(schedule, timing === undefined ? {} : { timing });
    if (!isShrinking) {
      sum.schedules++;
      for (const name of ['refreshes', 'failovers', 'rolledBack', 'operations', 'virtualMs'] as const)
        sum[name] += figures[name];
      for (const why of lost) residue[why] = (residue[why] ?? 0) + 1;
      onSchedule?.(sum.schedules);
    }
    if (broken.length === 0) return;
    isShrinking = true;
    throw new Error(broken.join('; '));
  });
  const found = await fc.check(property, { numRuns: count, seed });
  const { virtualMs, ...figures } = sum;
  const [schedule] = found.counterexample ?? [];
  return {
    ...figures,
    virtualHours: virtualMs / 3_600_000,
    residue,
    broken:
      schedule === undefined
        ? undefined
        : { promise: found.errorInstance instanceof Error ? found.errorInstance.message : '', schedule },
  };
}
