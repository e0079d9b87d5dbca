import { randomBytes } from 'node:crypto';
import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { currentOwner, isAlive, type ProcessLiveness } from '../../platform/process/process-identity.ts';
import { systemRandom } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import {
  createFileWhole,
  ensureFolder,
  readOwnFile,
  removeFile,
  renameFile,
  replaceFile,
} from '../files/atomic-file.ts';
import type { OwnedFile } from '../files/owner-file.ts';
import { asStoreErrors } from '../files/store-errors.ts';
import type { LockDeps } from '../lock/file-lock.ts';
import type { SignInStatus } from './sign-in-status.ts';

export type { SignInStatus } from './sign-in-status.ts';

/** The sign-in process touches its lease this often. */
export const HEARTBEAT_MS = 5_000;
/** An owner that cannot be looked up (another container, Windows) is presumed dead when its lease was not touched for this long. */
const SILENT_MS = 30_000;
/** The sign-in process ends itself at its deadline. If it is still there a minute later, it hangs. */
export const OVERDUE_MS = 60_000;
/** A sign-in process adopts its lease within a second of its start. If it has not by then, even on a busy machine, it was killed. */
export const ADOPTION_MS = 15_000;
/** For callers without a deadline: longer than any `--auth-timeout` in use. */
export const DEFAULT_LIFETIME_MS = 15 * 60_000;
const MAX_FILE_BYTES = 64 * 1024;

export type LeaseAnswer =
  | { readonly kind: 'created'; readonly nonce: string }
  | { readonly kind: 'held'; readonly nonce: string | undefined; readonly status: SignInStatus | undefined };

/** The one sign-in that may go on for a credential, across all processes. */
export interface Leases {
  /** Creates the lease, or returns that of a living process. The nonce is passed to the sign-in process, which adopts the lease with it. */
  create(key: string, now: number, lifetimeMs?: number): Promise<LeaseAnswer>;
  /** Makes this process the owner if the lease is still the one with this nonce. */
  adopt(key: string, nonce: string): Promise<boolean>;
  /** False: another process owns the lease by now; stop. */
  heartbeat(key: string, nonce: string): Promise<boolean>;
  release(key: string, nonce: string): Promise<void>;
  /** The nonce of the sign-in under way, if any. */
  holder(key: string, now: number): Promise<string | undefined>;
  readStatus(key: string): Promise<SignInStatus | undefined>;
  /**
   * Creates a lease in place of the existing one, and returns its nonce; the sign-in that had it ends. Absent: all sign-ins are on this machine, where they
   * cannot block each other.
   */
  take?(key: string, lifetimeMs: number): Promise<string>;
  /** Remembers when a browser was last opened without a result, until a sign-in succeeds. */
  writeStatus(key: string, status: SignInStatus): Promise<void>;
  /**
   * Resolves when the sign-in may have progressed, or after a while; rejects with the signal's reason. Absent: look again after the pause that suits a file.
   */
  changed?(key: string, signal: StopSignal): Promise<void>;
}

export function openLeases(
  folder: string,
  { clock, random }: { clock: Clock; random: LockDeps['random'] } = {
    clock: systemClock,
    random: systemRandom,
  },
): Leases {
  const leasePath = (key: string) => join(folder, `${key}.lease`);
  const statusPath = (key: string) => join(folder, `${key}.sign-in.json`);

  /** Checking and acting must be one step; it takes milliseconds, and no human is awaited in it. */
  async function locked<T>(key: string, run: () => Promise<T>): Promise<T> {
    return asStoreErrors(folder, async () => {
      await ensureFolder(folder);
      const { signal } = new AbortController();
      const { withFileLock } = await import('../lock/file-lock.ts');
      return withFileLock(leasePath(key), run, { signal }, { clock, random });
    });
  }

  async function readLease(key: string): Promise<LeaseFile> {
    const path = leasePath(key);
    const [stats, read] = await asStoreErrors(folder, () =>
      Promise.all([stat(path).catch(() => undefined), readOwnFile(path, MAX_FILE_BYTES)]),
    );
    if (stats === undefined || read.kind === 'absent') return { kind: 'none' };
    const { parseOwned } = await import('../files/owner-file.ts');
    const lease = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
    if (lease === undefined) return { kind: 'unreadable' };
    return { kind: 'lease', lease, owner: await isAlive(lease.owner), touchedAt: stats.mtimeMs };
  }

  async function readStatus(key: string): Promise<SignInStatus | undefined> {
    const read = await asStoreErrors(folder, () => readOwnFile(statusPath(key), MAX_FILE_BYTES));
    if (read.kind !== 'bytes') return undefined;
    const { parseSignInStatus } = await import('./sign-in-status.ts');
    return parseSignInStatus(read.bytes);
  }

  return {
    readStatus,
    create: (key, now, lifetimeMs = DEFAULT_LIFETIME_MS) =>
      locked(key, async (): Promise<LeaseAnswer> => {
        const path = leasePath(key);
        const found = await readLease(key);
        if (isLive(found, now))
          return { kind: 'held', nonce: found.lease.nonce, status: await readStatus(key) };
        if (found.kind !== 'none') {
          const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
          await renameFile(path, aside);
          await removeFile(aside);
        }
        const nonce = randomBytes(32).toString('base64url');
        const lease: OwnedFile = {
          nonce,
          owner: await currentOwner(),
          deadline: now + lifetimeMs,
          adoptBy: now + ADOPTION_MS,
        };
        const created = await createFileWhole(path, Buffer.from(JSON.stringify(lease)));
        if (created) return { kind: 'created', nonce };
        // The lock was lost meanwhile; O_EXCL has decided.
        return { kind: 'held', nonce: undefined, status: await readStatus(key) };
      }),
    adopt: (key, nonce) =>
      locked(key, async () => {
        const found = await readLease(key);
        if (found.kind !== 'lease' || found.lease.nonce !== nonce) return false;
        const { adoptBy, ...lease } = found.lease;
        const adopted: OwnedFile = { ...lease, owner: await currentOwner() };
        await replaceFile(leasePath(key), Buffer.from(JSON.stringify(adopted)));
        return true;
      }),
    heartbeat: async (key, nonce) => {
      const found = await readLease(key);
      if (found.kind !== 'lease' || found.lease.nonce !== nonce) return false;
      const seconds = clock.now() / 1000;
      await utimes(leasePath(key), seconds, seconds).catch(() => {});
      return true;
    },
    release: (key, nonce) =>
      locked(key, async () => {
        const found = await readLease(key);
        if (found.kind === 'lease' && found.lease.nonce === nonce) await removeFile(leasePath(key));
      }),
    holder: async (key, now) => {
      const found = await readLease(key);
      return isLive(found, now) ? found.lease.nonce : undefined;
    },
    writeStatus: (key, status) =>
      asStoreErrors(folder, async () => {
        await ensureFolder(folder);
        const { withBrowsers } = await import('./earlier-browsers.ts');
        const next = withBrowsers(status, await readStatus(key));
        await replaceFile(statusPath(key), Buffer.from(JSON.stringify(next)));
      }),
  };
}

export type LeaseFile =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'lease';
      readonly lease: OwnedFile;
      readonly owner: ProcessLiveness;
      readonly touchedAt: number;
    };

/** Whether a living process holds this lease. It is taken over only from an owner that is dead, or far past its deadline. */
export function isLive(found: LeaseFile, now: number): found is Extract<LeaseFile, { kind: 'lease' }> {
  if (found.kind !== 'lease' || found.owner === 'dead') return false;
  // Its owner is the requesting process: that one lives, and the process that it started does not.
  if (found.lease.adoptBy !== undefined && now > found.lease.adoptBy) return false;
  if (found.lease.deadline !== undefined && now > found.lease.deadline + OVERDUE_MS) return false;
  return found.owner === 'alive' || Math.abs(now - found.touchedAt) <= SILENT_MS;
}
