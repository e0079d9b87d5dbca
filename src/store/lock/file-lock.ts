import fs, { lstatSync, type Stats } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import lockfile from 'proper-lockfile';
import type { Clock } from '../../platform/clock.ts';
import { slept } from '../../platform/clock-jump.ts';
import type { Random } from '../../platform/random.ts';
import { removeFile, renameFile } from '../files/atomic-file.ts';
import { isHeldOpen, retryWhileHeldOpen } from '../files/held-open.ts';
import { LockTimeoutError, systemCode } from '../files/store-errors.ts';
import { STALE_FILE_MS, STALE_MS, TURN_MAX_MS, TURN_MIN_MS, UPDATE_MS, WAIT_MS } from './limits.ts';

/** A lock touched further in the future would never go stale; no two clocks of one machine differ by that much. */
const FUTURE_MS = 60_000;

export interface LockDeps {
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction' | 'bytes'>;
  /** The system whose rules apply; by default the current one. */
  readonly platform?: NodeJS.Platform;
}

/** What the holder of a lock may ask of it. */
export interface LockGuard {
  /** True once another process may have taken the lock over, or the machine slept. */
  lost(): boolean;
  /** Releases what is left of a lost lock and waits for a new one. */
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

/**
 * Runs `run` while this process holds the lock FILE.lock. The lock only queues: if a holder was suspended, or kept from its timers, for longer than STALE_MS, a
 * second process may hold it too. What must happen once is decided by the reservation, which is created with O_EXCL. Rejects with LockTimeoutError, or the
 * signal's reason.
 */
export async function withFileLock<T>(
  file: string,
  run: (guard: LockGuard) => Promise<T>,
  options: FileLockOptions<T>,
  deps: LockDeps,
): Promise<T> {
  const first = await waitForLock(file, options, deps);
  if (first.kind === 'answered') return first.answer;
  let hold = first.hold;
  const guard: LockGuard = {
    lost: () => hold.lost(),
    reacquire: async () => {
      await hold.release();
      const next = await waitForLock(file, { signal: options.signal }, deps);
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

async function waitForLock<T>(file: string, options: FileLockOptions<T>, deps: LockDeps): Promise<Waited<T>> {
  const { clock, random } = deps;
  const deadline = clock.monotonic() + (options.waitMs ?? WAIT_MS);
  for (;;) {
    options.signal.throwIfAborted();
    const hold = await tryLock(file, deps);
    if (hold !== undefined) return { kind: 'held', hold };
    const answer = await options.onTurn?.();
    if (answer !== undefined) return { kind: 'answered', answer };
    if (clock.monotonic() >= deadline) {
      throw new LockTimeoutError('another process has held the credential for too long', {
        hint: 'If a bridge or sign-in hangs or is suspended, end it; `status` names it.',
      });
    }
    await clock.sleep(TURN_MIN_MS + random.fraction() * (TURN_MAX_MS - TURN_MIN_MS), options.signal);
  }
}

/** Undefined: another process holds it. */
async function tryLock(file: string, deps: LockDeps): Promise<Hold | undefined> {
  const { clock, random, platform = process.platform } = deps;
  const isWindows = platform === 'win32';
  const path = `${file}.lock`;
  const found = see(path);
  if (found !== undefined) {
    const untouchedMs = clock.now() - found.mtimeMs;
    if (!found.isDirectory() && untouchedMs < STALE_FILE_MS && untouchedMs > -FUTURE_MS) return undefined;
    if (!found.isDirectory() || untouchedMs < -FUTURE_MS) await setAside(path, random);
  }
  const since = { wall: clock.now(), monotonic: clock.monotonic() };
  let isCompromised = false;
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(file, {
      // Node's own: the default, graceful-fs, queues calls when file descriptors run out.
      fs,
      realpath: false,
      stale: STALE_MS,
      update: UPDATE_MS,
      retries: 0,
      // The default throws inside a timer, which ends the process.
      onCompromised: () => {
        isCompromised = true;
      },
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOCKED') return undefined;
    // Ours was gone right after its creation: another process mistook it for the stale one that it had seen under this name.
    if (code === 'ENOENT' && (error as NodeJS.ErrnoException).syscall !== 'mkdir') return undefined;
    // Windows keeps the name of a deleted folder for as long as another process has it open.
    if (isWindows && isHeldOpen(error)) return undefined;
    // A stale lock that is not an empty folder.
    if (isOfRmdir(error)) {
      await setAside(path, random);
      return undefined;
    }
    throw error;
  }
  const own = see(path);
  /**
   * An inode number may be reused at once after the folder was removed; its creation time is not. On Windows it is the other way round: NTFS gives a new folder
   * of the same name the creation time of the previous one ("tunneling") and counts reuses in the file's id; some file servers change the time.
   */
  const isOurs = () => {
    const now = see(path);
    if (now === undefined || now.ino !== own?.ino) return false;
    return isWindows || now.birthtimeMs === own.birthtimeMs;
  };
  return {
    lost: () =>
      isCompromised || slept(since, { wall: clock.now(), monotonic: clock.monotonic() }) || !isOurs(),
    release: async () => {
      // proper-lockfile removes by name: a folder that another process has created meanwhile is left alone.
      if (isCompromised || !isOurs()) return;
      try {
        await release();
      } catch (error) {
        // proper-lockfile has released it; each attempt checks again whose it is.
        if (isWindows && isHeldOpen(error)) {
          return retryWhileHeldOpen(async () => (isOurs() ? rmdir(path) : undefined));
        }
        // Another program has put a file into the folder.
        if (isOfRmdir(error)) await setAside(path, random);
        // Otherwise the timer that touches the lock has just found out that it is lost (ERELEASED, ENOTACQUIRED).
      }
    },
  };
}

function see(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Whether the folder of a lock could not be removed. */
function isOfRmdir(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'rmdir';
}

/** Renamed first, so that only one of several processes gets it. A lock created in between may go with it: its holder notices that it is lost. */
async function setAside(path: string, random: LockDeps['random']): Promise<void> {
  const aside = `${path}.aside-${Buffer.from(random.bytes(6)).toString('hex')}`;
  try {
    await renameFile(path, aside);
    await (see(aside)?.isDirectory() === true ? rmdir(aside) : removeFile(aside));
  } catch (error) {
    // Another process was faster, or the folder contains files that are not ours to delete.
    if (systemCode(error) !== 'ENOENT' && !isOfRmdir(error)) throw error;
  }
}
