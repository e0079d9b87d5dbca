import type { Clock } from '../../src/platform/clock.ts';
import type { StopSignal } from '../../src/platform/stop.ts';

/** Something that is to happen. */
class Planned {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  /** To whom it happens: not to who is dead, and later to who is suspended. */
  readonly to: VirtualProcess | undefined;
  isCalledOff = false;

  constructor(at: number, order: number, run: () => void, to: VirtualProcess | undefined) {
    this.at = at;
    this.order = order;
    this.run = run;
    this.to = to;
  }
}

/** Time that passes only when nothing is left to do at this moment: hours take milliseconds, and a run can be run again. */
export class VirtualTime {
  now = 0;
  readonly #heap: Planned[] = [];
  #order = 0;

  /** Runs it so many milliseconds from now. */
  after(ms: number, run: () => void, to?: VirtualProcess): Planned {
    const planned = new Planned(this.now + Math.max(0, ms), this.#order++, run, to);
    this.#push(planned);
    return planned;
  }

  /** Lets time pass until `isOver`, or until nothing is planned any more. */
  async pass(isOver: () => boolean): Promise<void> {
    await settled();
    while (!isOver()) {
      const next = this.#pop();
      if (next === undefined) return;
      if (next.isCalledOff || next.to?.isAlive === false) continue;
      this.now = next.at;
      const waitMs = next.to === undefined ? 0 : next.to.suspendedUntil - this.now;
      if (waitMs > 0) this.after(waitMs, next.run, next.to);
      else {
        next.run();
        await settled();
      }
    }
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Planned, planned)) break;
      heap[at] = heap[parent] as Planned;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): Planned | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Planned, heap[child] as Planned)) child++;
      if (isBefore(last, heap[child] as Planned)) break;
      heap[at] = heap[child] as Planned;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const isBefore = (a: Planned, b: Planned) => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Everything that can go on without time passing has gone on: Node takes the next tick when no promise has anything left to do. */
const settled = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** A time in which a process could do nothing, or reached nobody. */
export interface Outage {
  readonly from: number;
  until: number;
  readonly why: 'suspended' | 'cut off' | 'with the old primary';
}

/** A process in virtual time. Whatever comes to it from outside goes through `hand`, so it can be killed or suspended anywhere. */
export class VirtualProcess {
  readonly number: number;
  readonly name: string;
  readonly time: VirtualTime;
  /** The wall clock is off by so much. */
  clockOffMs = 0;
  diedAt = Number.POSITIVE_INFINITY;
  /** Suspended until then, as by SIGSTOP. */
  suspendedUntil = 0;
  readonly outages: Outage[] = [];
  /** When it was told that the engine's server is the primary. */
  readonly confirmations: number[] = [];

  constructor(kind: 'instance' | 'command', number: number, time: VirtualTime) {
    this.number = number;
    this.name = `${kind} ${number}`;
    this.time = time;
  }

  get isAlive(): boolean {
    return this.diedAt === Number.POSITIVE_INFINITY;
  }

  /** Hands it something in `ms`: later when it is suspended, never when it is dead. */
  hand(ms: number, run: () => void): Planned {
    return this.time.after(ms, run, this);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.hand(ms, resolve));
  }

  readonly clock: Clock = {
    now: () => EPOCH_MS + this.time.now + this.clockOffMs,
    monotonic: () => this.time.now,
    uptime: () => this.time.now,
    sleep: (ms, signal) => this.#sleep(ms, signal),
  };

  #sleep(ms: number, signal: StopSignal | undefined): Promise<void> {
    if (signal === undefined) return this.pause(ms);
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = () => {
        planned.isCalledOff = true;
        reject(signal.reason);
      };
      const planned = this.hand(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

/** When virtual time begins, by the wall clock. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);
