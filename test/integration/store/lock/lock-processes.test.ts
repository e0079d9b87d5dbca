import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STALE_MS } from '../../../../src/store/lock/limits.ts';
import { buildStoreWorker, StoreWorker, type WorkerAnswer } from '../../../peers/processes/store-workers.ts';
import { Dice } from '../../../storm/random.ts';

const SEED = 20_261_121;
const open: Queue[] = [];
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-lock-'));
  program = await buildStoreWorker(folder);
});

afterAll(async () => {
  for (const queue of open) queue[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Processes that take one lock in turn. */
class Queue implements Disposable {
  readonly home: string;
  readonly key = 'ef'.repeat(32);
  readonly workers: StoreWorker[] = [];

  private constructor(home: string) {
    this.home = home;
  }

  static async create(): Promise<Queue> {
    const home = await mkdtemp(join(folder, 'home-'));
    await mkdir(join(home, 'credentials'), { mode: 0o700 });
    return new Queue(home);
  }

  get credentials(): string {
    return join(this.home, 'credentials');
  }

  async worker(): Promise<StoreWorker> {
    const worker = await StoreWorker.start(program);
    this.workers.push(worker);
    return worker;
  }

  enter(worker: StoreWorker, killAt?: number): Promise<WorkerAnswer> {
    const { home, key } = this;
    return worker.run({ do: 'enter', home, key, ...(killAt === undefined ? {} : { killAt }) });
  }

  leave(worker: StoreWorker): Promise<WorkerAnswer> {
    return worker.run({ do: 'leave', home: this.home, key: this.key });
  }

  [Symbol.dispose](): void {
    for (const worker of this.workers) worker[Symbol.dispose]();
  }
}

test(`6 processes in a queue: one at a time (seed ${SEED})`, async () => {
  using queue = await Queue.create();
  const dice = new Dice(SEED);
  const waiting = new Map<StoreWorker, Promise<readonly [StoreWorker, WorkerAnswer]>>();
  const join = (worker: StoreWorker) => {
    const entered = queue.enter(worker).then((answer) => [worker, answer] as const);
    waiting.set(worker, entered);
  };
  for (let number = 0; number < 6; number++) join(await queue.worker());
  for (let round = 0; round < 40; round++) {
    const [holder, answer] = await Promise.race(waiting.values());
    expect(answer).toEqual({ entered: true, alone: true });
    waiting.delete(holder);
    await new Promise((resolve) => setTimeout(resolve, dice.fraction() * 20));
    expect(await queue.leave(holder)).toEqual({ left: true, alone: true });
    join(holder);
  }
});

test('a killed holder: the next one enters when the lock has gone stale, and leaves nothing', async () => {
  using queue = await Queue.create();
  const [victim, next] = [await queue.worker(), await queue.worker()];
  expect(await queue.enter(victim)).toEqual({ entered: true, alone: true });
  victim.child.kill('SIGKILL');
  expect(await queue.enter(next)).toEqual({ entered: true, alone: true });
  expect(await queue.leave(next)).toEqual({ left: true, alone: true });
  expect(await readdir(queue.credentials)).toEqual([]);
});

test('killed at any system call while it takes or takes over the lock: the next one enters, and leaves nothing', async () => {
  const names: string[] = [];
  const places: Queue[] = [];
  for (const isStale of [false, true]) {
    for (let call = 1; ; call++) {
      const queue = await Queue.create();
      open.push(queue);
      if (isStale) await leaveStaleLock(join(queue.credentials, `${queue.key}.lock`));
      const ended = await queue.enter(await queue.worker(), call);
      if (!('signal' in ended)) break;
      names.push(ended.said);
      places.push(queue);
    }
  }
  expect(names).toEqual(expect.arrayContaining(['mkdir', 'rmdir', 'utimes']));
  const left = places.map(async (queue) => {
    const next = await queue.worker();
    expect(await queue.enter(next)).toEqual({ entered: true, alone: true });
    expect(await queue.leave(next)).toEqual({ left: true, alone: true });
    return readdir(queue.credentials);
  });
  expect((await Promise.all(left)).flat()).toEqual([]);
}, 60_000);

/** The lock of a process that is gone, past its time. */
async function leaveStaleLock(path: string): Promise<void> {
  await mkdir(path);
  const before = new Date(Date.now() - STALE_MS - 1_000);
  await utimes(path, before, before);
}
