import { StoreAwayError } from '../../src/store/files/store-errors.ts';
import type { Cell, Engine, EngineDescription, Put, Replaced } from '../../src/store/shared/engine.ts';
import type { Dice } from '../storm/random.ts';
import { EPOCH_MS, type Outage, type VirtualProcess, type VirtualTime } from './virtual-time.ts';

/** A value, as one write left it. */
export interface Stored {
  readonly cell: string;
  readonly seq: number;
  readonly body: Uint8Array | undefined;
}

/** The engine lost values. `isAnnounced`: its connections were made again, after which every process looks. */
export interface Loss {
  readonly at: number;
  readonly isAnnounced: boolean;
}

interface Write {
  readonly cell: string;
  readonly stored: Stored;
  /** When the replica has it; Infinity: never, the link is broken. */
  replicatedAt: number;
}

/** One server of the engine. */
class Node {
  readonly cells: Map<string, Stored>;
  readonly epoch: string;
  readonly clockOffMs: number;
  isUp = true;
  readonly log: Write[] = [];

  constructor(epoch: string, clockOffMs: number, cells: ReadonlyMap<string, Stored> = new Map()) {
    this.epoch = epoch;
    this.clockOffMs = clockOffMs;
    this.cells = new Map(cells);
  }
}

/** What happens to an operation, and where faults can be placed. */
export type EnginePoint = 'sent' | 'applied' | 'answered';

export interface EngineDeps {
  readonly time: VirtualTime;
  readonly dice: Dice;
  /** Called at each point of each operation; whatever happens there happens before the operation goes on. */
  readonly at: (point: EnginePoint, process: VirtualProcess, operation: string, stored?: Stored) => void;
}

/** How long an operation that is not answered is waited for. */
const AWAY_MS = 2_000;

/**
 * An engine as Redis is one: a primary that answers before its replica has the write, a replica that takes over with what it has, and
 * clients that sometimes stay with the old primary for a while.
 */
export class SimulatedEngine {
  readonly #deps: EngineDeps;
  #primary = new Node('epoch-1', 0);
  #old: Node | undefined;
  /** What the replica has. */
  #replica = new Map<string, Stored>();
  #isLinkBroken = false;
  #epochs = 1;
  readonly #connections = new Set<Connection>();
  /** Figures of a run. */
  operations = 0;
  failovers = 0;
  rolledBack = 0;
  readonly losses: Loss[] = [];
  /** Times without a primary. */
  readonly outages: Omit<Outage, 'why'>[] = [];
  #clocks: readonly [least: number, most: number] = [0, 0];

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  connect(process: VirtualProcess): Connection {
    const connection = new Connection(this, process, this.#deps);
    this.#connections.add(connection);
    return connection;
  }

  /** Whoever is dead is forgotten. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  nodeOf(connection: Connection): Node {
    return connection.isWithOld && this.#old !== undefined ? this.#old : this.#primary;
  }

  get clockSpreadMs(): number {
    const [least, most] = this.#clocks;
    return most - least;
  }

  isPrimary(node: Node): boolean {
    return node === this.#primary;
  }

  engineNow(node: Node): number {
    return EPOCH_MS + this.#deps.time.now + node.clockOffMs;
  }

  write(node: Node, cell: string, body: Uint8Array, seq: number): Stored {
    const stored = { cell, seq, body };
    node.cells.set(cell, stored);
    const { time, dice } = this.#deps;
    const lag = this.#isLinkBroken || node !== this.#primary ? Number.POSITIVE_INFINITY : dice.between(1, 4);
    // In order: none overtakes the one before it.
    const after = node.log.at(-1)?.replicatedAt ?? 0;
    node.log.push({ cell, stored, replicatedAt: Math.max(after, time.now + lag) });
    return stored;
  }

  tell(node: Node, cell: string): void {
    for (const connection of this.#connections) {
      if (this.nodeOf(connection) === node) connection.changed(cell, this.#deps.dice.between(1, 60));
    }
  }

  settledAt(node: Node): number {
    return node.log.at(-1)?.replicatedAt ?? 0;
  }

  /** The replica gets nothing until it is healed, or takes over. */
  breakLink(forMs: number): void {
    this.#isLinkBroken = true;
    this.#deps.time.after(forMs, () => this.#healLink());
  }

  #healLink(): void {
    if (!this.#isLinkBroken) return;
    this.#isLinkBroken = false;
    const { now } = this.#deps.time;
    for (const write of this.#primary.log) write.replicatedAt = Math.min(write.replicatedAt, now + 4);
  }

  /** The primary is gone, and after a while the replica is the primary, with what it has. */
  failOver(downMs: number, clockOffMs: number): void {
    if (!this.#primary.isUp) return;
    this.#primary.isUp = false;
    this.#replicate();
    this.#isAway(downMs);
    this.#deps.time.after(downMs, () => this.#promote(clockOffMs));
  }

  /** The replica takes over, and those connections that `stays` names are still with the old primary, for so long. */
  split(forMs: number, downMs: number, stays: (process: VirtualProcess) => boolean): void {
    if (!this.#primary.isUp || this.#old !== undefined) return;
    const old = this.#primary;
    this.#replicate();
    this.#old = old;
    const { now } = this.#deps.time;
    for (const connection of this.#connections) {
      if (stays(connection.process)) connection.stayWithOld(now + downMs + forMs);
    }
    const between = new Node('none', 0, old.cells);
    between.isUp = false;
    this.#primary = between;
    this.#isAway(downMs);
    this.#deps.time.after(downMs, () => this.#promote(0));
    this.#deps.time.after(downMs + forMs, () => {
      this.#old = undefined;
      for (const connection of this.#connections) {
        if (connection.isWithOld) connection.reconnect();
      }
    });
  }

  /** It is started again, with all that it had. */
  restart(downMs: number): void {
    const before = this.#primary;
    if (!before.isUp) return;
    before.isUp = false;
    this.#isAway(downMs);
    this.#deps.time.after(downMs, () => this.#start(before.cells, before.clockOffMs));
  }

  /** FLUSHALL, or an eviction: the epoch stays. */
  empty(): void {
    this.losses.push({ at: this.#deps.time.now, isAnnounced: false });
    this.#primary.cells.clear();
    this.#replica.clear();
    this.#primary.log.length = 0;
  }

  #isAway(forMs: number): void {
    const { now } = this.#deps.time;
    this.outages.push({ from: now, until: now + forMs });
  }

  #replicate(): void {
    const { log } = this.#primary;
    const { now } = this.#deps.time;
    const kept = log.findIndex(({ replicatedAt }) => replicatedAt > now);
    const has = kept === -1 ? log : log.slice(0, kept);
    for (const { cell, stored } of has) this.#replica.set(cell, stored);
    this.failovers++;
    this.rolledBack += log.length - has.length;
  }

  #promote(clockOffMs: number): void {
    this.#isLinkBroken = false;
    this.#start(this.#replica, clockOffMs);
  }

  #start(cells: ReadonlyMap<string, Stored>, clockOffMs: number): void {
    const before = this.#primary.cells;
    const isLost = [...before].some(
      ([name, stored]) => !name.endsWith(':index') && cells.get(name) !== stored,
    );
    if (isLost) this.losses.push({ at: this.#deps.time.now, isAnnounced: true });
    const [least, most] = this.#clocks;
    this.#clocks = [Math.min(least, clockOffMs), Math.max(most, clockOffMs)];
    this.#primary = new Node(`epoch-${++this.#epochs}`, clockOffMs, cells);
    this.#replica = new Map(cells);
    for (const connection of this.#connections) if (!connection.isWithOld) connection.reconnect();
  }

  /** What the engine holds now. */
  stored(cell: string): Stored | undefined {
    return this.#primary.cells.get(cell);
  }
}

type Watcher = { readonly cell: string; readonly onChange: () => void };

/** The engine as one process has it. */
export class Connection implements Engine {
  readonly place = 'simulated:1';
  readonly process: VirtualProcess;
  #withOld: Outage | undefined;
  /** No packet comes through until then. */
  cutUntil = 0;
  readonly #engine: SimulatedEngine;
  readonly #deps: EngineDeps;
  readonly #watchers = new Set<Watcher>();

  constructor(engine: SimulatedEngine, process: VirtualProcess, deps: EngineDeps) {
    this.#engine = engine;
    this.process = process;
    this.#deps = deps;
  }

  get(cell: string): Promise<Cell> {
    return this.#ask('get', cell, (node) => this.#cell(node, cell));
  }

  put(cell: string, body: Uint8Array, on: Replaced, tell: boolean): Promise<Put> {
    return this.#ask('put', cell, (node): Put => {
      const before = this.#cell(node, cell);
      if (before.seq !== on.seq || (on.epoch !== undefined && on.epoch !== before.epoch)) {
        return { kind: 'superseded', cell: before };
      }
      this.#engine.write(node, cell, body, on.next ?? before.seq + 1);
      if (tell) this.#engine.tell(node, cell);
      const { body: _, ...written } = this.#cell(node, cell);
      return { kind: 'written', cell: written };
    });
  }

  isPrimary(_atMostMs: number): Promise<boolean> {
    return this.#ask('isPrimary', undefined, (node) => this.#engine.isPrimary(node)).then(
      (isPrimary) => {
        if (isPrimary) this.process.confirmations.push(this.#deps.time.now);
        return isPrimary;
      },
      () => false,
    );
  }

  async settled(atMostMs: number): Promise<boolean> {
    const { time } = this.#deps;
    const at = this.#engine.settledAt(this.#engine.nodeOf(this));
    const isInTime = at <= time.now + atMostMs;
    await this.process.pause(Math.max(0, Math.min(at - time.now, atMostMs)));
    return isInTime && this.#isThrough(this.#engine.nodeOf(this));
  }

  watch(cell: string, onChange: () => void): () => void {
    const watcher = { cell, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async describe(): Promise<EngineDescription> {
    const { now, epoch } = await this.get('');
    return { engine: 'simulated', roundTripMs: 2, now, epoch };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#engine.forget(this);
  }

  changed(cell: string, inMs: number): void {
    if (this.#watchers.size === 0) return;
    this.process.hand(inMs, () => {
      if (!this.#isThrough(this.#engine.nodeOf(this))) return;
      for (const watcher of [...this.#watchers]) if (watcher.cell === cell) watcher.onChange();
    });
  }

  cut(forMs: number): void {
    const { time } = this.#deps;
    this.cutUntil = Math.max(this.cutUntil, time.now + forMs);
    this.process.outages.push({ from: time.now, until: time.now + forMs, why: 'cut off' });
    time.after(forMs, () => this.reconnect());
  }

  /** Of a primary that others have left. */
  get isWithOld(): boolean {
    return this.#withOld !== undefined;
  }

  stayWithOld(until: number): void {
    this.#withOld = { from: this.#deps.time.now, until, why: 'with the old primary' };
    this.process.outages.push(this.#withOld);
  }

  reconnect(): void {
    if (this.#withOld !== undefined) this.#withOld.until = this.#deps.time.now;
    this.#withOld = undefined;
    this.process.hand(this.#deps.dice.between(1, 2_000), () => {
      if (!this.#isThrough(this.#engine.nodeOf(this))) return;
      for (const watcher of [...this.#watchers]) watcher.onChange();
    });
  }

  #cell(node: Node, cell: string): Cell {
    const stored = node.cells.get(cell);
    const { seq = 0, body } = stored ?? {};
    return {
      seq,
      now: this.#engine.engineNow(node),
      epoch: node.epoch,
      ...(body === undefined ? {} : { body }),
    };
  }

  #isThrough(node: Node): boolean {
    return node.isUp && this.cutUntil <= this.#deps.time.now;
  }

  /** What was sent into a network that was down: the system sends it again when it is back, whether its process still waits or not. */
  #deliverLate(node: Node, run: () => void): void {
    const { time } = this.#deps;
    const pauseMs = (this.#engine.operations * 997) % 5_000;
    time.after(this.cutUntil - time.now + pauseMs, () => {
      if (node.isUp) run();
    });
  }

  /** One operation: on its way there, carried out, and on its way back. */
  #ask<T>(operation: string, cell: string | undefined, run: (node: Node) => T): Promise<T> {
    const { dice, at } = this.#deps;
    this.#engine.operations++;
    const apply = (node: Node) => {
      const result = run(node);
      const stored = cell === undefined ? undefined : node.cells.get(cell);
      at('applied', this.process, operation, stored);
      return { result, stored };
    };
    return new Promise((resolve, reject) => {
      const fail = (applied: 'no' | 'maybe') =>
        this.process.hand(dice.between(50, AWAY_MS), () =>
          reject(new StoreAwayError('the engine did not answer', { applied })),
        );
      at('sent', this.process, operation);
      // Outside of the process: what is on its way arrives, whether the sender is still there or not.
      this.#deps.time.after(1 + dice.fraction(), () => {
        const node = this.#engine.nodeOf(this);
        if (!this.#isThrough(node)) {
          const isOnItsWay = this.cutUntil > this.#deps.time.now && this.#engine.operations % 2 === 0;
          if (isOnItsWay) this.#deliverLate(node, () => apply(node));
          return fail(isOnItsWay ? 'maybe' : 'no');
        }
        const { result, stored } = apply(node);
        this.#deps.time.after(1 + dice.fraction(), () => {
          if (!this.#isThrough(node) || this.#engine.nodeOf(this) !== node) return fail('maybe');
          at('answered', this.process, operation, stored);
          this.process.hand(0, () => resolve(result));
        });
      });
    });
  }
}
