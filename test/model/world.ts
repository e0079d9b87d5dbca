import { DrawbridgeError } from '../../src/errors.ts';
import type { CellCodec } from '../../src/store/shared/cell-codec.ts';
import { TIMING, type Timing } from '../../src/store/shared/protocol/timing.ts';
import { Dice } from '../storm/random.ts';
import { ReferringCodec } from './codecs.ts';
import {
  type Course,
  explainGoingBack,
  explainLoss,
  explainReplay,
  explainUndone,
  type Happening,
} from './explain.ts';
import { contentIn, ModelInstance } from './instance.ts';
import type { Fault, PlacedFault, Schedule, Who } from './schedule.ts';
import { SimulatedEngine } from './simulated-engine.ts';
import { type Place, type Redemption, StrictServer } from './strict-server.ts';
import { VirtualProcess, VirtualTime } from './virtual-time.ts';

/** What a run came to. */
export interface Verdict {
  /** Promises that were broken, in words; empty: none. */
  readonly broken: readonly string[];
  /** Logins that ended in the stated residue. */
  readonly residue: readonly string[];
  readonly figures: {
    readonly refreshes: number;
    readonly failovers: number;
    readonly rolledBack: number;
    readonly operations: number;
    readonly virtualMs: number;
  };
}

export interface WorldOptions {
  /** Other waits than the program's. */
  readonly timing?: Timing;
  /** By default one that keeps values as they are. */
  readonly codec?: CellCodec;
}

/** All waits of the protocol together: the lock, a token request, a quarantine, a token that may be spent. */
const PATIENCE_MS = 600_000;
/** How often a person repeats a command, and after how long. Faults end in that time. */
const COMMAND_ATTEMPTS = 40;
const COMMAND_PAUSE_MS = 15_000;
/** Between the end of all faults and the last lapse. */
const HEALED_AFTER_MS = 300_000;

/** One login, some instances, one engine, one authorization server, and what happens to them. */
export class FleetWorld {
  readonly time = new VirtualTime();
  readonly dice: Dice;
  readonly engine: SimulatedEngine;
  readonly server: StrictServer;
  readonly timing: Timing;
  readonly codec: CellCodec;
  readonly happenings: Happening[] = [];
  readonly #schedule: Schedule;
  readonly #instances: ModelInstance[] = [];
  readonly #broken: string[] = [];
  readonly #residue: string[] = [];
  #pending: PlacedFault[] = [];
  #points = 0;
  readonly #processes: VirtualProcess[] = [];
  #person: Promise<void> = Promise.resolve();
  #isLoggedOut = false;
  /** Faults that last end by then. */
  #healedAt = 0;

  constructor(schedule: Schedule, { timing = TIMING, codec = new ReferringCodec() }: WorldOptions = {}) {
    this.timing = timing;
    this.codec = codec;
    this.#schedule = schedule;
    this.dice = new Dice(schedule.seed);
    const { time, dice } = this;
    this.engine = new SimulatedEngine({
      time,
      dice,
      at: (point, process, operation, stored) => {
        this.happenings.push({ at: time.now, process, what: `${operation} ${point}`, stored });
        this.#point(process);
      },
    });
    this.server = new StrictServer(schedule.lifetimeMs, {
      time,
      dice,
      at: (point, process) => {
        this.happenings.push({ at: time.now, process, what: `POST ${point}` });
        this.#point(process);
      },
      onReplay: (spent, process) => this.#onReplay(spent, process),
    });
  }

  async run(): Promise<Verdict> {
    await this.#within(this.#login());
    for (let n = 0; n < this.#schedule.instances; n++) this.#start();
    for (const [lapse, kind] of this.#schedule.lapses.entries()) {
      if (this.#isOver) break;
      this.#pending = this.#schedule.faults.filter((placed) => placed.lapse === lapse);
      this.#points = 0;
      await this.#lapse(kind, false);
    }
    this.#pending = [];
    if (!this.#isOver) {
      await this.#pass(Math.max(0, this.#healedAt - this.time.now) + HEALED_AFTER_MS);
      await this.#lapse('refused', true);
    }
    const { failovers, rolledBack, operations } = this.engine;
    return {
      broken: this.#broken,
      residue: this.#residue,
      figures: {
        refreshes: this.server.refreshes,
        failovers,
        rolledBack,
        operations,
        virtualMs: this.time.now,
      },
    };
  }

  /** Nobody can see of another one whether it is dead. */
  get isApart(): boolean {
    return this.#schedule.apart;
  }

  isAlive(number: number): boolean {
    return this.#processes[number - 1]?.isAlive === true;
  }

  break(what: string): void {
    this.#broken.push(what);
  }

  /** A process uses an earlier token than one that it has seen. */
  goesBack({ name }: VirtualProcess, from: Place, to: Place): void {
    const why = explainGoingBack(this.#course, from, to);
    if (why !== undefined) this.#residue.push(why);
    else this.break(`${name} goes back from ${show(from)} to ${show(to)}`);
  }

  get #course(): Course {
    const { happenings, time, engine } = this;
    return {
      happenings,
      now: time.now,
      losses: engine.losses,
      engineOutages: engine.outages,
      isApart: this.isApart,
      clockSpreadMs: engine.clockSpreadMs,
      contentIn: (stored) => contentIn(this.codec, stored),
    };
  }

  get #isOver(): boolean {
    return this.#broken.length > 0 || this.#residue.length > 0;
  }

  get #living(): ModelInstance[] {
    return this.#instances.filter(({ process }) => process.isAlive);
  }

  #process(kind: 'instance' | 'command'): VirtualProcess {
    const process = new VirtualProcess(kind, this.#processes.length + 1, this.time);
    this.#processes.push(process);
    return process;
  }

  #start(): ModelInstance {
    const instance = new ModelInstance(this, this.#process('instance'));
    this.#instances.push(instance);
    return instance;
  }

  /** The access token expires, and every instance has something to ask. */
  async #lapse(kind: 'due' | 'refused', isLast: boolean): Promise<void> {
    const { server, time } = this;
    const before = server.latest;
    if (kind === 'due') await this.#pass(this.#schedule.lifetimeMs * 0.95);
    else server.refusedUpTo = before;
    const end = time.now + PATIENCE_MS;
    const served = new Set<ModelInstance>();
    for (const instance of this.#living) instance.ask(before, end, () => served.add(instance));
    const isDone = () =>
      this.#isOver || time.now >= end || this.#living.every((one) => served.has(one) || one.hasEnded);
    await time.pass(isDone);
    if (this.#isOver || !isLast) return;
    this.#judgeEnd(this.#living.filter((instance) => !served.has(instance)));
  }

  /** Everything is well again, and has been for a while. */
  #judgeEnd(unserved: readonly ModelInstance[]): void {
    const { login } = this.server.latest;
    const [first] = this.#living.filter((one) =>
      this.#isLoggedOut ? one.login === login : unserved.includes(one),
    );
    if (first === undefined) return;
    const why = this.#isLoggedOut ? explainUndone(this.#course) : explainLoss(this.#course, login);
    if (why !== undefined) this.#residue.push(why);
    else if (this.#isLoggedOut) this.break(`${first.process.name} has a login that was removed`);
    else this.break(`${first.process.name} is not served: ${first.lastEnd}`);
  }

  async #pass(ms: number): Promise<void> {
    const until = this.time.now + ms;
    this.time.after(ms, () => undefined);
    await this.time.pass(() => this.time.now >= until);
  }

  async #within(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    await this.time.pass(() => isDone);
    await done;
  }

  #point(actor: VirtualProcess): void {
    this.#points++;
    const due = this.#pending.filter(({ after }) => after < this.#points);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((placed) => !due.includes(placed));
    for (const { fault } of due) this.#happen(fault, actor);
  }

  #happen(fault: Fault, actor: VirtualProcess): void {
    const { engine, server, time } = this;
    this.happenings.push({ at: time.now, process: actor, what: JSON.stringify(fault) });
    const whom = (who: Who): ModelInstance | undefined => {
      if (who !== 'actor') return this.#living[who % Math.max(1, this.#living.length)];
      return this.#living.find(({ process }) => process === actor);
    };
    const lasts = (ms: number) => {
      this.#healedAt = Math.max(this.#healedAt, time.now + ms);
    };
    switch (fault.kind) {
      case 'kill':
        return this.#kill(whom(fault.who));
      case 'suspend': {
        const process = whom(fault.who)?.process;
        if (process === undefined) return;
        process.suspendedUntil = Math.max(process.suspendedUntil, time.now + fault.forMs);
        process.outages.push({ from: time.now, until: time.now + fault.forMs, why: 'suspended' });
        return lasts(fault.forMs);
      }
      case 'cut':
        whom(fault.who)?.connection.cut(fault.forMs);
        return lasts(fault.forMs);
      case 'unreachable': {
        const process = whom(fault.who)?.process;
        if (process !== undefined) server.unreachable.set(process, time.now + fault.forMs);
        return lasts(fault.forMs);
      }
      case 'wall-clock': {
        const process = whom(fault.who)?.process;
        if (process !== undefined) process.clockOffMs += fault.byMs;
        return;
      }
      case 'break-link':
        engine.breakLink(fault.forMs);
        return lasts(fault.forMs);
      case 'fail-over':
        engine.failOver(fault.downMs, fault.clockByMs);
        return lasts(fault.downMs);
      case 'split':
        engine.split(fault.forMs, fault.downMs, (process) => {
          return ((fault.stay >> (process.number % 4)) & 1) === 1;
        });
        return lasts(fault.downMs + fault.forMs);
      case 'restart':
        engine.restart(fault.downMs);
        return lasts(fault.downMs);
      case 'empty':
        return engine.empty();
      case 'logout':
        return this.#command(async () => {
          this.#isLoggedOut = true;
          server.revoke();
          await this.#once((instance) => instance.logout());
        });
      case 'login':
        return this.#command(() => this.#login());
    }
  }

  #kill(instance: ModelInstance | undefined): void {
    if (instance === undefined) return;
    instance.kill();
    // Its host starts it again.
    this.time.after(this.dice.between(1_000, 20_000), () => {
      const next = this.#start();
      next.ask(this.server.latest, this.time.now + PATIENCE_MS, () => undefined);
    });
  }

  /** A person does one thing after the other, and does a thing again that failed: the command has said so. */
  #command(run: () => Promise<unknown>): void {
    this.#person = this.#person.then(() => this.#insist(run));
  }

  async #insist(run: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await run();
        return;
      } catch (error) {
        if (!(error instanceof DrawbridgeError)) throw error;
        if (attempt === COMMAND_ATTEMPTS) return this.break(`a command fails all the time: ${error.message}`);
      }
      await new Promise<void>((resolve) => this.time.after(COMMAND_PAUSE_MS, resolve));
    }
  }

  /** A process that does one thing and ends. */
  async #once(run: (instance: ModelInstance) => Promise<unknown>): Promise<void> {
    const instance = new ModelInstance(this, this.#process('command'));
    try {
      await run(instance);
      await instance.close();
    } finally {
      instance.kill();
    }
  }

  async #login(): Promise<void> {
    this.#isLoggedOut = false;
    await this.#once((instance) => instance.signIn(this.server.signIn(instance.process.clock.now())));
  }

  #onReplay(spent: Redemption, process: VirtualProcess): void {
    const why = explainReplay(this.#course, spent, process);
    if (why === undefined) this.break(`a replay of ${spent.login}.${spent.generation} by ${process.name}`);
    else this.#residue.push(why);
  }
}

const show = ({ login, generation }: Place) => `${login}.${generation}`;
