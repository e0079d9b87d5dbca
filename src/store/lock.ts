import * as fs from 'node:fs';
import { rename, rmdir } from 'node:fs/promises';
import lockfile from 'proper-lockfile';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { slept } from './slept.ts';
import { LockTimeoutError, systemCode } from './store-errors.ts';

/** All versions of the program share these: one with a shorter `stale` would take over from a holder that is well. */
const STALE_MS = 15_000;
const UPDATE_MS = 5_000;
/** Longer than one token request (30 s limit, usually far less) would keep a host waiting for nothing. */
const WAIT_MS = 30_000;
const TURN_MIN_MS = 50;
const TURN_MAX_MS = 250;
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
  for (;;) {
    options.signal.throwIfAborted();
    const hold = await tryLock(file, tools);
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

async function tryLock(file: string, tools: LockTools): Promise<Hold | undefined> {
  const { clock } = tools;
  const folder = `${file}.lock`;
  await setAsideFromFuture(folder, tools);
  const taken = { wall: clock.now(), monotonic: clock.monotonic() };
  const guarded = guardedFs(clock);
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
    // A stale lock that is no empty folder: something foreign in it, or in its place.
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      await setAside(folder, tools);
      return undefined;
    }
    throw error;
  }
  guarded.ours();
  return {
    lost: () =>
      compromised ||
      clock.monotonic() - guarded.updatedAt() > STALE_MS ||
      slept(taken, { wall: clock.now(), monotonic: clock.monotonic() }),
    release: async () => {
      if (!compromised) await release();
    },
  };
}

/**
 * proper-lockfile removes by name: a stale lock that meanwhile is another waiter's, or, after a suspension, the next owner's. Here
 * only the folder that was looked at is removed. The moment between look and removal remains; the claim covers it.
 */
function guardedFs(clock: Clock) {
  let seen: string | undefined;
  let frozen = false;
  let updatedAt = clock.monotonic();
  const name = (stats: fs.Stats) => `${stats.dev}:${stats.ino}:${stats.mtime.getTime()}`;
  const isSeen = (path: string) => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    return stats !== undefined && name(stats) === seen;
  };
  const guarded = {
    mkdir: fs.mkdir,
    stat: (path: string, done: (error: Error | null, stats?: fs.Stats) => void) =>
      fs.lstat(path, (error, stats) => {
        if (error === null && !frozen) seen = name(stats);
        done(error, stats);
      }),
    utimes: (path: string, atime: Date, mtime: Date, done: (error: Error | null) => void) =>
      fs.utimes(path, atime, mtime, (error) => {
        if (error === null && frozen) {
          updatedAt = clock.monotonic();
          seen = seen?.replace(/[^:]*$/, String(mtime.getTime()));
        }
        done(error);
      }),
    rmdir: (path: string, done: (error: Error | null) => void) => {
      if (isSeen(path)) fs.rmdir(path, done);
      else done(null);
    },
    rmdirSync: (path: string) => {
      if (isSeen(path)) fs.rmdirSync(path);
    },
  };
  return {
    fs: guarded,
    ours: () => {
      frozen = true;
      updatedAt = clock.monotonic();
    },
    updatedAt: () => updatedAt,
  };
}

async function setAsideFromFuture(folder: string, tools: LockTools): Promise<void> {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (stats !== undefined && stats.mtime.getTime() - tools.clock.now() > FUTURE_MS)
    await setAside(folder, tools);
}

async function setAside(folder: string, { random }: LockTools): Promise<void> {
  const aside = `${folder}.aside-${Buffer.from(random.bytes(6)).toString('hex')}`;
  try {
    await rename(folder, aside);
    await rmdir(aside);
  } catch (error) {
    // Somebody was faster, or what lies in it is not ours to delete.
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
  }
}
