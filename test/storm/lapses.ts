import type { SeenRequest } from '../peers/faults/faults.ts';
import { faults } from '../peers/faults/faults.ts';
import type { PlanFile } from '../peers/faults/kill-plan.ts';
import type { CallEnd, Instance } from './instance.ts';
import { Dice } from './random.ts';
import { type StartOptions, StormWorld } from './world.ts';

export interface LapseOptions {
  readonly instances: number;
  /** How often the access token is revoked under all of them. */
  readonly lapses: number;
  /** In all, at most one per instance and lapse; each in place of a counted call that the seed chooses, the residue spared. */
  readonly kills: number;
  /** How many counted calls a refresh takes, about. */
  readonly callsEach?: number;
  readonly seed: number;
  readonly onLapse?: (lapse: number) => void;
}

export interface LapseFigures {
  readonly lapses: number;
  readonly kills: number;
  readonly refreshPosts: number;
  readonly replays: number;
  readonly signIns: number;
  readonly tabs: number;
  readonly corrupt: number;
  /** Calls of instances that lived. */
  readonly served: number;
  readonly failed: readonly string[];
  /** From the arrival of a call with the revoked token to the arrival of the same call with the new one, at the server. */
  readonly waitsMs: readonly number[];
  /** The same, less what the authorization server took for the refresh of that lapse. */
  readonly beyondServerMs: readonly number[];
  /** Steps at which processes died. */
  readonly diedAt: ReadonlyMap<string, number>;
}

/** The authorization server's own time for a refresh. */
const SERVER_MS = 100;
/** A refresh takes some fifty counted calls, and a waiter's turns add a few each. */
const MOST_CALLS = 70;
const HEAD_START_MS = 30;
const LAST_KILL_MS = 15_000;

/** Where the instances are, and what they have to do with. */
export interface LapseWorld
  extends Pick<StormWorld, 'authority' | 'browser' | 'server' | 'corruptRecords'>,
    AsyncDisposable {
  signIn(): Promise<unknown>;
  start(options: StartOptions): Instance;
  plan(at: number, part: { readonly sparing: true }): Promise<PlanFile>;
}

/** Many instances, one credential, and a token that is revoked again and again while all of them have something to ask. */
export async function lapses(
  options: LapseOptions,
  create: () => Promise<LapseWorld> = () => StormWorld.create(),
): Promise<LapseFigures> {
  await using world = await create();
  const storm = new Lapses(world, options);
  return await storm.run();
}

class Lapses {
  readonly #world: LapseWorld;
  readonly #options: LapseOptions;
  readonly #dice: Dice;
  readonly #died = new Map<string, number>();
  readonly #failed: string[] = [];
  readonly #waits: number[] = [];
  readonly #beyond: number[] = [];
  readonly #refreshed: number[] = [];
  readonly #armed = new Set<Instance>();
  #instances: Instance[] = [];
  #kills = 0;
  #served = 0;

  constructor(world: LapseWorld, options: LapseOptions) {
    this.#world = world;
    this.#options = options;
    this.#dice = new Dice(options.seed);
  }

  async run(): Promise<LapseFigures> {
    const { authority, browser } = this.#world;
    await this.#world.signIn();
    authority.failRefresh(faults.delay(SERVER_MS));
    authority.events.onEntry(({ kind }) => {
      if (kind === 'refresh') this.#refreshed.push(Date.now());
    });
    const asked = authority.counters.authorizationRequests;
    this.#instances = await Promise.all(Array.from({ length: this.#options.instances }, () => this.#start()));
    for (let lapse = 1; lapse <= this.#options.lapses; lapse++) await this.#lapse(lapse);
    const { refreshPosts, replays, authorizationRequests } = authority.counters;
    return {
      lapses: this.#options.lapses,
      kills: this.#kills,
      refreshPosts,
      replays,
      signIns: authorizationRequests - asked,
      tabs: browser.opened.length,
      served: this.#served,
      failed: this.#failed,
      waitsMs: this.#waits,
      beyondServerMs: this.#beyond,
      corrupt: await this.#world.corruptRecords(),
      diedAt: this.#died,
    };
  }

  /** A new instance, served once. */
  async #start(): Promise<Instance> {
    const plan = this.#options.kills === 0 ? {} : { plan: await this.#world.plan(NEVER, { sparing: true }) };
    const instance = this.#world.start(plan);
    this.#note(await instance.call());
    return instance;
  }

  async #lapse(lapse: number): Promise<void> {
    const victims = await this.#arm(lapse);
    const { authority, server } = this.#world;
    const from = server.requests.entries.length;
    const posted = authority.requests.entries.length;
    authority.tokens.revokeAll();
    const first = this.#dice.fraction() < 0.5 ? victims : [];
    const calls = first.map((victim) => victim.call());
    // Half of the time the victims are first, or they would hardly ever be the ones to refresh.
    if (first.length > 0) await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
    calls.push(...this.#instances.filter((one) => !first.includes(one)).map((one) => one.call()));
    for (const end of await Promise.all(calls)) this.#note(end);
    this.#measure(server.requests.entries.slice(from), authority.requests.entries.slice(posted));
    if (lapse === this.#options.lapses) {
      // Served by what another one has refreshed, some come to a counted call only after their answer.
      await Promise.race([Promise.all([...this.#armed].map(({ host }) => host.exited)), after(LAST_KILL_MS)]);
    }
    await this.#replaceDead();
    this.#options.onLapse?.(lapse);
  }

  /** Arms as many as are due. One that did not come to its call stays armed; in the last lapse it dies at its next call. */
  async #arm(lapse: number): Promise<Instance[]> {
    const { kills, lapses: total } = this.#options;
    const armed = this.#instances.filter((one) => this.#armed.has(one));
    const due = Math.round((kills * lapse) / total) - this.#kills - armed.length;
    const left = this.#instances.filter((one) => !this.#armed.has(one));
    const chosen = Array.from({ length: Math.max(0, Math.min(due, left.length)) }, () => {
      const victim = this.#dice.pick(left);
      left.splice(left.indexOf(victim), 1);
      return victim;
    });
    const isLast = lapse === total;
    for (const victim of isLast ? [...armed, ...chosen] : chosen) {
      await victim.rearm(isLast ? 1 : this.#dice.between(1, this.#options.callsEach ?? MOST_CALLS));
      this.#armed.add(victim);
    }
    return chosen;
  }

  #note(end: CallEnd): void {
    if (end.kind === 'served') this.#served++;
    else if (end.kind === 'failed') this.#failed.push(end.why);
  }

  async #replaceDead(): Promise<void> {
    const dead = this.#instances.filter(({ isGone }) => isGone);
    for (const { plan, host } of dead) {
      const killed = (await plan?.said())?.killed;
      if (killed === undefined) this.#failed.push(`ended by itself: ${host.stderr.slice(-300)}`);
      else this.#died.set(killed.step, (this.#died.get(killed.step) ?? 0) + 1);
      this.#kills++;
    }
    this.#instances = this.#instances.filter((one) => !dead.includes(one));
    this.#instances.push(...(await Promise.all(dead.map(() => this.#start()))));
  }

  #measure(requests: readonly SeenRequest[], posts: readonly SeenRequest[]): void {
    const post = posts.find(({ method }) => method === 'POST');
    const tookMs = post === undefined ? 0 : (this.#refreshed.at(-1) ?? post.at) - post.at;
    const first = new Map<string, number>();
    for (const { method, headers, at } of requests) {
      const instance = String(headers['x-instance']);
      if (method !== 'POST') continue;
      const before = first.get(instance);
      if (before === undefined) first.set(instance, at);
      else {
        this.#waits.push(at - before);
        this.#beyond.push(at - before - tookMs);
        first.delete(instance);
      }
    }
  }
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

/** Counts, and never comes so far. */
const NEVER = Number.MAX_SAFE_INTEGER;
