import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../platform/process/process-identity.ts';
import { readOwnFile } from './files/atomic-file.ts';
import { readMoveNote } from './files/move-note.ts';
import { parseOwned } from './files/owner-file.ts';
import {
  asStoreErrors,
  KeychainError,
  LaterVersionError,
  StoreMovedError,
  systemCode,
} from './files/store-errors.ts';
import type { Leases } from './lease/lease.ts';
import { STALE_MS } from './lock/limits.ts';
import type { CredentialOverview, LockOverview } from './port/overview.ts';
import { type Opener, readRecord } from './record/read-record.ts';
import { MAX_RESERVATION_BYTES } from './reservation/limits.ts';
import { sealingOf } from './system-keychain.ts';

/** The keys of everything that may hold tokens: records, set-aside records, and leftover responses. */
export async function storedKeys(folder: string): Promise<string[]> {
  const names = await asStoreErrors(folder, () => namesIn(folder));
  const holders = /^([0-9a-f]{64})\.(?:json|moving|corrupt-[0-9a-f]+|[^.]+\.\d+\.answer)$/;
  return [...new Set(names.flatMap((name) => holders.exec(name)?.[1] ?? []))];
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}

/** Every credential in the folder, including those of sign-ins under way. Takes no lock and changes nothing. */
export async function readOverview(
  folder: string,
  leases: Pick<Leases, 'holder' | 'readStatus'>,
  now: number,
  opener: Opener = sealingOf(folder),
): Promise<CredentialOverview[]> {
  return asStoreErrors(folder, async () => {
    const names = await namesIn(folder);
    const keys = names.flatMap((name) => /^([0-9a-f]{64})\.(?:json|lease|moved)$/.exec(name)?.[1] ?? []);
    const all = [...new Set(keys)].map((key) => readOne(folder, key, { names, leases, now, opener }));
    return (await Promise.all(all)).filter(({ found, signIn }) => found.kind !== 'absent' || signIn);
  });
}

async function readOne(
  folder: string,
  key: string,
  {
    names,
    leases,
    now,
    opener,
  }: {
    readonly names: readonly string[];
    readonly leases: Pick<Leases, 'holder' | 'readStatus'>;
    readonly now: number;
    readonly opener: Opener;
  },
): Promise<CredentialOverview> {
  const [found, nonce, status, lock] = await Promise.all([
    readRecord(join(folder, `${key}.json`), opener).catch((error: unknown) => {
      if (error instanceof KeychainError) return { kind: 'sealed', error } as const;
      if (error instanceof LaterVersionError) return { kind: 'later-version' } as const;
      if (error instanceof StoreMovedError) return movedTo(folder, key, error.isUnfinished);
      throw error;
    }),
    leases.holder(key, now),
    leases.readStatus(key),
    readRefresher(folder, key, names, now).then((refresher) => refresher ?? readLock(folder, key, now)),
  ]);
  const isGoingOn = nonce !== undefined && status?.nonce === nonce;
  return {
    key,
    found,
    signIn: isGoingOn ? status : undefined,
    lock,
  };
}

async function movedTo(
  folder: string,
  key: string,
  isUnfinished: boolean,
): Promise<CredentialOverview['found']> {
  const note = await readMoveNote(folder, key);
  return note === undefined ? { kind: 'absent' } : { kind: 'moved', note, isUnfinished };
}

/** The lock itself names no process. A stale one has no owner. */
async function readLock(folder: string, key: string, now: number): Promise<LockOverview | undefined> {
  const touched = await stat(join(folder, `${key}.json.lock`)).catch(() => undefined);
  if (touched === undefined || now - touched.mtimeMs > STALE_MS) return undefined;
  return { heldForMs: sinceMs(touched, now) };
}

/** The process that sends the refresh token blocks the others, also when it is suspended and its lock has gone stale. */
async function readRefresher(
  folder: string,
  key: string,
  names: readonly string[],
  now: number,
): Promise<LockOverview | undefined> {
  for (const name of names.filter((each) => each.startsWith(`${key}.`) && each.endsWith('.claim'))) {
    const path = join(folder, name);
    const [made, read] = await Promise.all([
      stat(path).catch(() => undefined),
      readOwnFile(path, MAX_RESERVATION_BYTES),
    ]);
    const reservation = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
    if (made === undefined || reservation === undefined || (await isAlive(reservation.owner)) === 'dead')
      continue;
    return { pid: reservation.owner.pid, heldForMs: sinceMs(made, now) };
  }
  return undefined;
}

function sinceMs({ birthtimeMs }: Stats, now: number): number {
  return Math.max(0, Math.round(now - birthtimeMs));
}
