import * as fs from 'node:fs';
import type { Clock } from '../../platform/clock.ts';
import { retryWhileHeldOpen } from '../files/held-open.ts';

type Done = (error: Error | null) => void;

/** The parts of Node's fs that proper-lockfile uses, and what was seen of the lock on the way. */
export interface GuardedFs {
  readonly fs: object;
  /** From here on what is there is ours. */
  ours(): void;
  /** What is there is another's after all. */
  disown(): void;
  /** The lock that was ours is no longer there. */
  isRemoved(): boolean;
  /** When it was last touched, by the monotonic clock. */
  updatedAt(): number;
}

/**
 * proper-lockfile makes a folder, and removes by name: a stale lock that meanwhile is another waiter's, or, after a suspension, the next
 * owner's. Here `take` makes the lock, and only what was looked at is removed. The moment between look and removal remains, the two in
 * one go without a turn of the event loop; the claim covers it.
 */
export function guardedFs(clock: Clock, take: () => Promise<boolean>, isLockFile: () => boolean): GuardedFs {
  let seen: string | undefined;
  let frozen = false;
  let removed = false;
  let updatedAt = clock.monotonic();
  const name = (stats: fs.Stats) => `${stats.dev}:${stats.ino}:${stats.mtime.getTime()}`;
  const removeSeen = (path: string) => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || name(stats) !== seen) return;
    if (stats.isFile() && isLockFile()) fs.unlinkSync(path);
    else fs.rmdirSync(path);
    removed = true;
  };
  const guarded = {
    mkdir: (_: string, done: Done) => {
      take().then((taken) => done(taken ? null : held()), done);
    },
    stat: (path: string, done: (error: Error | null, stats?: fs.Stats) => void) =>
      fs.lstat(path, (error, stats) => {
        if (error === null && !frozen) seen = name(stats);
        done(error, stats);
      }),
    utimes: (path: string, atime: Date, mtime: Date, done: Done) =>
      fs.utimes(path, atime, mtime, (error) => {
        if (error === null && frozen) {
          updatedAt = clock.monotonic();
          seen = seen?.replace(/[^:]*$/, String(mtime.getTime()));
        }
        done(error);
      }),
    rmdir: (path: string, done: Done) => {
      // Each attempt looks again: meanwhile the lock may have become another's.
      retryWhileHeldOpen(async () => removeSeen(path)).then(() => done(null), done);
    },
    rmdirSync: removeSeen,
  };
  return {
    fs: guarded,
    ours: () => {
      frozen = true;
      removed = false;
      updatedAt = clock.monotonic();
    },
    disown: () => {
      frozen = true;
      seen = undefined;
    },
    isRemoved: () => removed,
    updatedAt: () => updatedAt,
  };
}

/** What proper-lockfile understands as "somebody has it". */
function held(): Error {
  return Object.assign(new Error('the lock is held'), { code: 'EEXIST' });
}
