import type { CountedCall } from '../peers/faults/kill-plan.ts';
import { isCallOf, STEPS, type Step } from '../peers/faults/refresh-steps.ts';
import { StormWorld } from './world.ts';

export interface MatrixOptions {
  /** Kills at each step. */
  readonly runs: number;
  readonly grace: boolean;
  /** Runs side by side. */
  readonly atOnce: number;
  readonly steps?: readonly Step[];
  readonly onRun?: () => void;
}

/** What became of one kill. */
export interface KillRun {
  readonly step: Step;
  /** In place of which it died; undefined: it did not. */
  readonly call: CountedCall | undefined;
  /** The next instance was served so long after the kill; undefined: it was not. */
  readonly servedAfterMs: number | undefined;
  readonly why: string | undefined;
  readonly signedInAgain: boolean;
}

export interface MatrixFigures {
  readonly runs: readonly KillRun[];
  readonly corrupt: number;
  readonly replays: number;
}

/** One more than any server's: the token has been redeemed and comes again long after. */
const GRACE_MS = 120_000;

/** src/README.md, "A refresh": a process is killed at each step of a refresh, and the next one is started right away. */
export async function killMatrix(options: MatrixOptions): Promise<MatrixFigures> {
  const { runs, grace, atOnce, steps = STEPS } = options;
  await using world = await StormWorld.create({ reuseGraceMs: grace ? GRACE_MS : 0 });
  const calls = { expired: await callsOf(world, true), refused: await callsOf(world, false) };
  const plan = steps.flatMap((step) =>
    Array.from({ length: runs }, (_, run) => {
      const expired = run % 2 === 0;
      const own = (expired ? calls.expired : calls.refused).filter((call) => isCallOf(call, step)).length;
      if (own === 0) throw new Error(`no call belongs to ${step}`);
      // Each call of the step in turn, by an expired token and by a refused one.
      return { step, expired, at: (Math.floor(run / 2) % own) + 1 };
    }),
  );
  const done: KillRun[] = [];
  const work = async () => {
    for (let next = plan.shift(); next !== undefined; next = plan.shift()) {
      done.push(await killOnce(world, `run-${plan.length}`, next));
      options.onRun?.();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { runs: done, corrupt: await world.corruptRecords(), replays: world.authority.counters.replays };
}

/** The calls of a refresh to which nothing happens. */
async function callsOf(world: StormWorld, expired: boolean): Promise<readonly CountedCall[]> {
  const profile = expired ? 'expired' : 'refused';
  await world.lapse(profile, await world.signIn(profile), expired);
  const plan = await world.plan(0);
  const instance = world.start({ plan, args: ['--profile', profile] });
  const end = await instance.call();
  if (end.kind !== 'served') throw new Error(`not even once: ${JSON.stringify(end)}`);
  await world.end(instance);
  return (await plan.said()).calls;
}

async function killOnce(
  world: StormWorld,
  profile: string,
  { step, expired, at }: { readonly step: Step; readonly expired: boolean; readonly at: number },
): Promise<KillRun> {
  const args = ['--profile', profile];
  const before = await world.signIn(profile);
  await world.lapse(profile, before, expired);
  const plan = await world.plan(at, { step });
  const victim = world.start({ args, plan });
  const end = await victim.call();
  const call = (await plan.said()).killed;
  await world.end(victim);
  const startedAt = performance.now();
  const next = world.start({ args });
  const served = await next.call();
  const servedAfterMs = served.kind === 'served' ? performance.now() - startedAt : undefined;
  await world.end(next);
  const record = await world.record(profile);
  return {
    step,
    call,
    servedAfterMs,
    why: served.kind === 'failed' ? served.why : end.kind === 'failed' ? end.why : undefined,
    signedInAgain: record?.family !== before.family,
  };
}

export function isResidue({ call }: KillRun): boolean {
  return call?.isResidue === true;
}
