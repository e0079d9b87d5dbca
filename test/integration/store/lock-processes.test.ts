import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentOwner } from '../../../src/platform/process/process-identity.ts';
import { buildStoreWorker, StoreWorker, type WorkerAnswer } from '../../peers/processes/store-workers.ts';
import { Dice } from '../../storm/random.ts';

const SEED = 20_261_121;
const NONCE = '0123456789abcdef'.repeat(2);
let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-lock-'));
  program = await buildStoreWorker(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

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

  /** What tells an inherited lock from a new one. */
  async nonce(): Promise<string> {
    return JSON.parse(await readFile(join(this.credentials, `${this.key}.lock`), 'utf8')).nonce;
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

test(`6 processes in a queue, some killed while they hold the lock (seed ${SEED}): one at a time, and each inherits from the dead`, async () => {
  using queue = await Queue.create();
  const dice = new Dice(SEED);
  const waiting = new Map<StoreWorker, Promise<readonly [StoreWorker, WorkerAnswer]>>();
  const join = (worker: StoreWorker) => {
    const entered = queue.enter(worker).then((answer) => [worker, answer] as const);
    waiting.set(worker, entered);
  };
  for (let number = 0; number < 6; number++) join(await queue.worker());
  let dead: string | undefined;
  let killed = 0;
  for (let round = 0; round < 24; round++) {
    const [holder, answer] = await Promise.race(waiting.values());
    expect(answer).toEqual({ entered: true, alone: true });
    const nonce = await queue.nonce();
    // Not removed as stale after 15 s, and made anew: it is still the lock of the one who died.
    if (dead !== undefined) expect(nonce).toBe(dead);
    waiting.delete(holder);
    if (dice.fraction() < 0.6) {
      killed++;
      dead = nonce;
      holder.child.kill('SIGKILL');
      join(await queue.worker());
    } else {
      dead = undefined;
      expect(await queue.leave(holder)).toEqual({ left: true, alone: true });
      join(holder);
    }
  }
  expect(killed).toBeGreaterThan(10);
}, 60_000);

test('killed at any call while it inherits a lock: the next one inherits it from both, and leaves nothing', async () => {
  const names: string[] = [];
  using bystanders = await Queue.create();
  const next = await bystanders.worker();
  for (let call = 1; ; call++) {
    using queue = await Queue.create();
    const victim = await queue.worker();
    await leaveDeadLock(join(queue.credentials, `${queue.key}.lock`));
    const ended = await queue.enter(victim, call);
    if ('signal' in ended) names.push(ended.said);
    else {
      expect(ended).toEqual({ entered: true, alone: true });
      break;
    }
    expect(await queue.enter(next)).toEqual({ entered: true, alone: true });
    expect(await queue.nonce(), `${call} ${ended.said}`).toBe(NONCE);
    expect(await queue.leave(next)).toEqual({ left: true, alone: true });
    // What a killed process had not given its name yet is swept with a later write.
    expect((await readdir(queue.credentials)).filter((name) => !name.endsWith('.tmp'))).toEqual([]);
  }
  expect(names).toContain('link');
  expect(names.indexOf('link')).toBeLessThan(names.lastIndexOf('utimes'));
}, 60_000);

/** The lock of a process that is gone: this one's number, another start. */
async function leaveDeadLock(path: string): Promise<void> {
  const owner = { ...(await currentOwner()), startTime: '1' };
  await writeFile(path, JSON.stringify({ nonce: NONCE, owner }), { mode: 0o600 });
}
