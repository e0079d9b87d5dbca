import { readFile } from 'node:fs/promises';
import type { CountedCall, PlanFile } from '../../peers/faults/kill-plan.ts';
import type { CallEnd, Instance } from '../instance.ts';
import { CalmLogin } from './calm-login.ts';
import type { FleetStart, FleetWorld } from './world.ts';

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
  /** From the same moment until the instance that was hit was served; undefined: it was not, or is dead. */
  readonly victimServedAfterMs: number | undefined;
  readonly victimWhy: string | undefined;
}

/** Another way of a program to the engine or to the authorization server. */
export interface OtherWay {
  /** What `--store` names. */
  readonly url?: string;
  /** The ports to which it connects for the engine and for the authorization server. */
  readonly enginePorts?: readonly number[];
  readonly authorityPort?: number;
  readonly preload?: string;
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
  /** Of the victim and of the other instance of the n-th login. */
  readonly ways?: (n: number) => Promise<{ readonly victim?: OtherWay; readonly other?: OtherWay }>;
  /** Calls go on all the time of another login, whose token is not revoked. */
  readonly calm?: (login: CalmLogin) => void;
  readonly patienceMs: number;
}

/** The login is over: bridges on a shared store ask nobody by themselves. */
const SIGN_IN = /sign in|signed in|login/i;

/**
 * The calls of a refresh to which nothing happens, in a world whose engine is well. Some refreshes have a few calls more than others: those that all
 * of so many trials had.
 */
export async function pointsOf(world: FleetWorld, count = 3): Promise<readonly Point[]> {
  const trials: (readonly Point[])[] = [];
  for (let trial = 0; trial < count; trial++) trials.push(await trialOf(world, `trial-${trial}`));
  const [first = [], ...rest] = trials;
  const isIn = (trial: readonly Point[], { call, at }: Point) =>
    trial.some((other) => other.call.step === call.step && other.at === at);
  return first.filter((point) => rest.every((trial) => isIn(trial, point)));
}

async function trialOf(world: FleetWorld, profile: string): Promise<readonly Point[]> {
  await world.signIn(profile);
  const other = world.start({ args: ['--profile', profile], home: 1 });
  await servedOnce(other);
  world.authority.tokens.revokeAll();
  const plan = await world.plan(0);
  const instance = world.start({ plan, args: ['--profile', profile], home: 0 });
  await servedOnce(instance);
  await world.end(instance);
  await world.end(other);
  const { calls } = await plan.said();
  const seen = new Map<string, number>();
  return calls.map((call) => {
    const at = (seen.get(call.step) ?? 0) + 1;
    seen.set(call.step, at);
    return { call, at };
  });
}

async function servedOnce(instance: Instance): Promise<void> {
  const end = await instance.call();
  if (end.kind !== 'served') throw new Error(`${JSON.stringify(end)}\n${instance.host.stderr}`);
}

/** A login for each point; its refresh is stopped there; something happens; and all of them are called until they are served. */
export async function atEachStep(options: StepsOptions): Promise<readonly StepRun[]> {
  const { world, points, name, signal, act, patienceMs } = options;
  const pairs = await inTurns(4, points, (point, n) => pairAt(options, point, n));
  world.authority.tokens.revokeAll();
  // Those whose request is under way are called last: it is waited for 30 s, and the others need that time to come to where they are to be.
  const calls: Promise<CallEnd>[] = [];
  const isEarly = ({ point }: Pair) => point.call.step === 'before';
  const call = (wanted: (pair: Pair) => boolean) => {
    for (const [n, pair] of pairs.entries()) if (wanted(pair)) calls[n] = pair.victim.call(patienceMs);
  };
  const calm = options.calm === undefined ? undefined : await CalmLogin.begin(world, `${name}-calm`);
  call(isEarly);
  await Promise.all(
    pairs.map(({ plan, victim }, n) => isEarly(pairs[n] as Pair) && reached(plan, victim, calls[n])),
  );
  call((pair) => !isEarly(pair));
  const hits = await Promise.all(pairs.map(({ plan, victim }, n) => reached(plan, victim, calls[n])));
  const { lasts } = await act(pairs);
  const beganAt = performance.now();
  const timed = async (end: Promise<CallEnd>) => ({
    end: await end,
    afterMs: performance.now() - beganAt,
  });
  const [ends, victims] = await Promise.all([
    Promise.all(pairs.map(({ other }) => timed(untilServed(other, patienceMs)))),
    Promise.all(
      pairs.map(({ victim }, n) =>
        timed(signal === 'SIGKILL' ? gone : afterwards(victim, calls[n], patienceMs)),
      ),
    ),
    lasts,
  ]);
  if (calm !== undefined) {
    await calm.end();
    options.calm?.(calm);
  }
  for (const { victim, other } of pairs) await Promise.all([world.end(victim), world.end(other)]);
  return pairs.map(({ point }, n) => {
    const { end, afterMs } = ends[n] as { end: CallEnd; afterMs: number };
    const victim = victims[n] as { end: CallEnd; afterMs: number };
    return {
      point,
      wasHit: hits[n] === true,
      servedAfterMs: end.kind === 'served' ? afterMs : undefined,
      isLost: end.kind === 'failed' && SIGN_IN.test(end.why),
      why: end.kind === 'failed' ? end.why : undefined,
      victimServedAfterMs: victim.end.kind === 'served' ? victim.afterMs : undefined,
      victimWhy: victim.end.kind === 'failed' ? victim.end.why : undefined,
    };
  });
}

const gone = Promise.resolve<CallEnd>({ kind: 'gone' });

/** The call that was stopped, and others after it, until one is served. */
async function afterwards(
  victim: Instance,
  call: Promise<CallEnd> | undefined,
  patienceMs: number,
): Promise<CallEnd> {
  const end = await (call ?? gone);
  return end.kind === 'failed' ? untilServed(victim, patienceMs) : end;
}

async function pairAt({ world, name, signal, ways }: StepsOptions, point: Point, n: number): Promise<Pair> {
  const profile = `${name}-${n}`;
  const args = ['--profile', profile];
  await world.signIn(profile);
  const way = await ways?.(n);
  const other = world.start({ args, home: 1, ...startOn(way?.other) });
  await servedOnce(other);
  const { enginePorts, authorityPort } = way?.victim ?? {};
  const plan = await world.plan(point.at, {
    step: point.call.step as 'POST',
    signal,
    ...(enginePorts === undefined ? {} : { engine: enginePorts }),
    ...(authorityPort === undefined ? {} : { ports: [authorityPort] }),
  });
  const victim = world.start({ plan, args, home: 0, ...startOn(way?.victim) });
  return { point, profile, victim, plan, other };
}

function startOn({ url, preload }: OtherWay = {}): FleetStart {
  return {
    ...(url === undefined ? {} : { url }),
    ...(preload === undefined ? {} : { nodeArgs: ['--require', preload] }),
  };
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
