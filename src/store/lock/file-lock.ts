import { lstatSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import lockfile from 'proper-lockfile';
import type { Clock } from '../../platform/clock.ts';
import { slept } from '../../platform/clock-jump.ts';
import type { Random } from '../../platform/random.ts';
import { removeFile, renameFile } from '../files/atomic-file.ts';
import { LockTimeoutError, systemCode } from '../files/store-errors.ts';
import {
  decideTake,
  forgetSuccessors,
  isThere,
  type LockSight,
  seeLock,
  type TakenLock,
  takeLock,
} from './lock-ownership.ts';
import { guardedFs } from './lockfile-fs.ts';

/** All versions of the program share these: one with a shorter `stale` would take over from a holder that is well. */
const STALE_MS = 15_000;
const UPDATE_MS = 5_000;
/** Longer than one token request (30 s limit, usually far less) would keep a host waiting for nothing. */
const WAIT_MS = 30_000;
const TURN_MIN_MS = 50;
const TURN_MAX_MS = 250;
/** Whether a lock's owner lives is asked of the system, on some by starting a program. */
const LOOK_MS = 500;
/** Such a lock would never go stale; no two clocks of one machine differ by that much. */
const FUTURE_MS = 60_000;

export interface LockTools {
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction' | 'bytes'>;
}

/** The lock queues, the claim decides: a lock may be lost at any time, so the holder asks before it acts. */
export interface LockGuard {
  lost(): boolean;
  /** Gives up what is left of a lost lock and waits for a new one. */
  reacquire(): Promise<void>;
}

interface Hold {
  lost(): boolean;
  release(): Promise<void>;
}

export interface FileLockOptions<T> {
  readonly signal: AbortSignal;
  readonly onTurn?: (() => Promise<T | undefined>) | undefined;
  readonly waitMs?: number;
}

export async function withFileLock<T>(
  file: string,
  run: (guard: LockGuard) => Promise<T>,
  options: FileLockOptions<T>,
  tools: LockTools,
): Promise<T> {
  const first = await waitForLock(file, options, tools);
  if (first.kind === 'answered') return first.answer;
  let hold = first.hold;
  const guard: LockGuard = {
    lost: () => hold.lost(),
    reacquire: async () => {
      await hold.release();
      const next = await waitForLock(file, { signal: options.signal }, tools);
      if (next.kind === 'held') hold = next.hold;
    },
  };
  try {
    return await run(guard);
  } finally {
    await hold.release();
  }
}

type Waited<T> = { readonly kind: 'held'; readonly hold: Hold } | { readonly kind: 'answered'; answer: T };

async function waitForLock<T>(
  file: string,
  options: FileLockOptions<T>,
  tools: LockTools,
): Promise<Waited<T>> {
  const { clock, random } = tools;
  const deadline = clock.monotonic() + (options.waitMs ?? WAIT_MS);
  let lookAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    options.signal.throwIfAborted();
    const looks = clock.monotonic() >= lookAt;
    if (looks) lookAt = clock.monotonic() + LOOK_MS;
    const hold = await tryLock(file, tools, looks);
    if (hold !== undefined) return { kind: 'held', hold };
    const answer = await options.onTurn?.();
    if (answer !== undefined) return { kind: 'answered', answer };
    if (clock.monotonic() >= deadline) {
      throw new LockTimeoutError('another process holds the credential and does not come to an end', {
        hint: 'If a bridge or sign-in hangs or is suspended, end it; `status` names it.',
      });
    }
    await clock.sleep(TURN_MIN_MS + random.fraction() * (TURN_MAX_MS - TURN_MIN_MS), options.signal);
  }
}

/** `looks`: whether a lock that is there has gone stale, or its owner has died. */
async function tryLock(file: string, tools: LockTools, looks: boolean): Promise<Hold | undefined> {
  const { clock } = tools;
  const path = `${file}.lock`;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) {
    if (!looks) return undefined;
    if (stats.mtime.getTime() - clock.now() > FUTURE_MS) await setAside(path, tools);
  }
  const attempt = new Attempt(path, stats === undefined, tools);
  const guarded = guardedFs(
    clock,
    () => attempt.take(),
    () => attempt.taken !== undefined || attempt.sight.kind === 'owned',
  );
  const since = { wall: clock.now(), monotonic: clock.monotonic() };
  let compromised = false;
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(file, {
      realpath: false,
      stale: STALE_MS,
      update: UPDATE_MS,
      retries: 0,
      fs: guarded.fs,
      // The default throws inside a timer, which ends the process.
      onCompromised: () => {
        compromised = true;
      },
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOCKED') return undefined;
    // It was inherited and gone right after: stale by then for somebody else.
    if (code === 'ENOENT' && attempt.taken !== undefined) return undefined;
    // A stale lock that is no empty folder: something foreign in it, or in its place.
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      await setAside(path, tools);
      return undefined;
    }
    throw error;
  }
  // Inherited at the end of its 15 s, it may have been removed as stale before it was touched.
  if (!(await attempt.isOurs())) {
    guarded.disown();
    if (!compromised) await release();
    return undefined;
  }
  guarded.ours();
  return {
    lost: () =>
      compromised ||
      clock.monotonic() - guarded.updatedAt() > STALE_MS ||
      slept(since, { wall: clock.now(), monotonic: clock.monotonic() }),
    release: async () => {
      if (!compromised) await release();
      if (guarded.isRemoved() && attempt.taken !== undefined) await forgetSuccessors(attempt.taken);
    },
  };
}

/** One go at the lock: what was seen, and what was had of it. */
class Attempt {
  sight: LockSight;
  taken: TakenLock | undefined;
  readonly #path: string;
  readonly #random: LockTools['random'];

  constructor(path: string, isFree: boolean, { random }: LockTools) {
    this.#path = path;
    this.#random = random;
    this.sight = { kind: isFree ? 'absent' : 'unreadable' };
  }

  async take(): Promise<boolean> {
    if (this.sight.kind !== 'absent') this.sight = await seeLock(this.#path);
    this.taken = await takeLock(this.#path, decideTake(this.sight), this.#random);
    return this.taken !== undefined;
  }

  async isOurs(): Promise<boolean> {
    const { taken } = this;
    // One that was just made is nowhere near its end.
    return taken !== undefined && (taken.successors.length === 0 || isThere(this.#path, taken.first));
  }
}

async function setAside(path: string, { random }: LockTools): Promise<void> {
  const aside = `${path}.aside-${Buffer.from(random.bytes(6)).toString('hex')}`;
  try {
    await renameFile(path, aside);
    await ((await seeLock(aside)).kind === 'owned' ? removeFile(aside) : rmdir(aside));
  } catch (error) {
    // Somebody was faster, or what lies in it is not ours to delete.
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
  }
}
