import { readFile } from 'node:fs/promises';
import type { CountedCall, PlanFile } from '../../peers/faults/kill-plan.ts';
import type { CallEnd, Instance } from '../instance.ts';
import type { FleetWorld } from './world.ts';

/** One call of a refresh at which something happens: the `at`-th of those of its step. */
export interface Point {
  readonly call: CountedCall;
  readonly at: number;
}

/** What became of a login whose refresh was hit at a point. */
export interface StepRun {
  readonly point: Point;
  /** Whether the program came to the point. */
  readonly wasHit: boolean;
  /** From `began` until another instance of the login was served; undefined: it was not. */
  readonly servedAfterMs: number | undefined;
  /** The other instance was told that a person has to sign in. */
  readonly isLost: boolean;
  readonly why: string | undefined;
}

/** One login, the instance that is hit, and another one. */
export interface Pair {
  readonly point: Point;
  readonly profile: string;
  readonly victim: Instance;
  readonly plan: PlanFile;
  readonly other: Instance;
}

export interface StepsOptions {
  readonly world: FleetWorld;
  readonly points: readonly Point[];
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Of the logins, so that rounds can share a world. */
  readonly name: string;
  /** All victims are where they are to be: suspended ones are resumed here. Time is measured from its end; `lasts` is awaited before all is ended. */
  readonly act: (pairs: readonly Pair[]) => Promise<{ readonly lasts?: Promise<unknown> }>;
  /** Other ways to the engine, for the victims. */
  readonly url?: (profile: string) => string;
  readonly patienceMs: number;
}

/** The login is over: bridges on a shared store ask nobody by themselves. */
const SIGN_IN = /sign in|signed in|login/i;

/** The calls of a refresh to which nothing happens, in a world whose engine is well. */
export async function pointsOf(world: FleetWorld): Promise<readonly Point[]> {
  await world.signIn('trial');
  world.authority.tokens.revokeAll();
  const plan = await world.plan(0);
  const instance = world.start({ plan, args: ['--profile', 'trial'] });
  const end = await instance.call();
  if (end.kind !== 'served')
    throw new Error(`not even once: ${JSON.stringify(end)}\n${instance.host.stderr}`);
  await world.end(instance);
  const { calls } = await plan.said();
  const seen = new Map<string, number>();
  return calls.map((call) => {
    const at = (seen.get(call.step) ?? 0) + 1;
    seen.set(call.step, at);
    return { call, at };
  });
}

/** A login for each point; its refresh is stopped there; something happens; and all of them are called until they are served. */
export async function atEachStep(options: StepsOptions): Promise<readonly StepRun[]> {
  const { world, points, name, signal, act, url, patienceMs } = options;
  const pairs = await inTurns(4, points, async (point, number): Promise<Pair> => {
    const profile = `${name}-${number}`;
    await world.signIn(profile);
    const other = world.start({ args: ['--profile', profile], home: 1 });
    const served = await other.call();
    if (served.kind !== 'served') throw new Error(`${profile}: ${JSON.stringify(served)}`);
    const { step } = point.call;
    const plan = await world.plan(point.at, { step: step as 'POST', signal });
    const way = url?.(profile);
    const victim = world.start({
      plan,
      args: ['--profile', profile],
      home: 0,
      ...(way === undefined ? {} : { url: way }),
    });
    return { point, profile, victim, plan, other };
  });
  world.authority.tokens.revokeAll();
  const calls = pairs.map(({ victim }) => victim.call(patienceMs));
  const hits = await Promise.all(pairs.map(({ plan, victim }, n) => reached(plan, victim, calls[n])));
  const { lasts } = await act(pairs);
  const beganAt = performance.now();
  const ends = await Promise.all(
    pairs.map(async ({ other }) => {
      const end = await untilServed(other, patienceMs);
      return { end, afterMs: performance.now() - beganAt };
    }),
  );
  await lasts;
  for (const { victim, other } of pairs) await Promise.all([world.end(victim), world.end(other)]);
  await Promise.all(calls);
  return pairs.map(({ point }, n) => {
    const { end, afterMs } = ends[n] as { end: CallEnd; afterMs: number };
    return {
      point,
      wasHit: hits[n] === true,
      servedAfterMs: end.kind === 'served' ? afterMs : undefined,
      isLost: end.kind === 'failed' && SIGN_IN.test(end.why),
      why: end.kind === 'failed' ? end.why : undefined,
    };
  });
}

export function resume(pairs: readonly Pair[]): void {
  for (const { victim } of pairs) victim.host.kill('SIGCONT');
}

/** Calls again and again, as a host does, until it is served, the login is over, or patience is. */
export async function untilServed(instance: Instance, patienceMs: number): Promise<CallEnd> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answer = await instance.call(Math.max(1_000, end - performance.now()));
    if (answer.kind !== 'failed' || SIGN_IN.test(answer.why) || performance.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Resolves when the program is dead or suspended at its point; false: its call ended without. */
async function reached(
  plan: PlanFile,
  { host }: Instance,
  call: Promise<CallEnd> | undefined,
): Promise<boolean> {
  let isOver = false;
  void call?.then(() => {
    isOver = true;
  });
  for (;;) {
    const stat = await readFile(`/proc/${host.pid}/stat`, 'latin1').catch(() => '');
    if (/\) T /.test(stat) || stat === '' || / Z /.test(stat)) break;
    if (isOver) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return (await plan.said()).killed !== undefined;
}

async function inTurns<T, R>(
  atOnce: number,
  items: readonly T[],
  run: (item: T, n: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  const work = async () => {
    for (let n = next++; n < items.length; n = next++) done[n] = await run(items[n] as T, n);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}
