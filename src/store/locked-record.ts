import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { moveFile, removeFile, stageFile, syncFolder } from './files/atomic-file.ts';
import { StoreError, systemCode } from './files/store-errors.ts';
import { type FileLockOptions, type LockGuard, type LockTools, withFileLock } from './lock/file-lock.ts';
import { readRecord } from './record/read-record.ts';
import { type CredentialRecord, type Expected, isExpected, type NewRecord } from './record/record.ts';
import { serializeRecord } from './record/record-schema.ts';
import { readSetAside, removeSetAside, setAside } from './record/set-aside.ts';
import {
  createReservation,
  type ReservationFiles,
  readReservations,
  removeReservations,
} from './reservation/reservation.ts';
import { fillAnswerFile } from './reservation/response-file.ts';
import type { HeldLock, HeldReservation } from './store.ts';

/** A temporary file this old has lost its process: none is needed for longer than a rename takes. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

interface Place {
  readonly folder: string;
  readonly key: string;
  /** The record's file. */
  readonly path: string;
}

interface HeldParts extends Place {
  readonly guard: LockGuard;
  readonly clock: Clock;
}

/** All that is done to a credential's files, under its lock. */
export function withDiskLock<T>(
  place: Place,
  run: (held: HeldLock) => Promise<T>,
  options: FileLockOptions<T>,
  tools: LockTools,
): Promise<T> {
  const { clock } = tools;
  return withFileLock(place.path, (guard) => run(heldLock({ ...place, guard, clock })), options, tools);
}

function heldLock({ folder, key, path, guard, clock }: HeldParts): HeldLock {
  const whileHeld = async () => {
    if (guard.lost()) await guard.reacquire();
  };
  const files = (hash: string): ReservationFiles => ({ folder, key, hash });
  return {
    lost: () => guard.lost(),
    read: async (identity) => {
      const found = await readRecord(path, identity);
      if (found.kind !== 'corrupt') return found;
      await whileHeld();
      return { kind: 'corrupt', setAside: await setAside(path) };
    },
    write: async (record, expected) => {
      await whileHeld();
      const next = await nextRecord(path, record, expected);
      if (next === undefined) return { kind: 'superseded' };
      const staged = await stageFile(path, serializeRecord(next));
      // Staged, then looked at, then moved: whoever writes after this look sweeps what is staged, however long we are suspended here.
      const still = await nextRecord(path, record, expected);
      if (still?.revision !== next.revision || !(await promote(staged, path))) {
        await removeFile(staged);
        return { kind: 'superseded' };
      }
      await sweep(folder, key, clock.now(), expected === 'any' ? 'spent' : 'unfinished');
      return { kind: 'written', record: next };
    },
    remove: async () => {
      await whileHeld();
      if (await removeFile(path)) await syncFolder(folder);
      await removeSetAside(folder, key);
      await sweep(folder, key, clock.now(), 'spent');
    },
    setAside: () => readSetAside(folder, key),
    reservations: (hash) => readReservations(files(hash), clock.now()),
    clearReservations: (hash) => removeReservations(files(hash)),
    reserve: async (hash, number): Promise<HeldReservation | undefined> => {
      const claim = await createReservation(files(hash), number, clock);
      if (claim === undefined) return undefined;
      return {
        prepare: claim.prepare,
        release: claim.release,
        markLost: claim.leaveLost,
        abandon: claim.letGo,
        commit: async (record, expected) => {
          if (expected === null) throw new StoreError('a refresh has a record to begin with');
          // On disk before anything else: if this process ends here, another finds the answer.
          const foreseen = { ...record, version: 1, revision: expected.revision + 1 } as const;
          const filled = await fillAnswerFile(claim.answerPath, serializeRecord(foreseen));
          await whileHeld();
          const next = filled ? await nextRecord(path, record, expected) : undefined;
          const promoted = next !== undefined && (await promote(claim.answerPath, path));
          await claim.release();
          if (next === undefined || !promoted) return { kind: 'superseded' };
          await removeReservations(files(hash));
          await sweep(folder, key, clock.now(), 'unfinished');
          return { kind: 'written', record: next };
        },
      };
    },
  };
}

/**
 * What others left of this credential, taken away by the lock's holder. A record that is written and not yet in its place belongs to a
 * process that was killed, or suspended after its last look at the record: without that file its rename fails, and brings nothing back
 * (test/README.md, faults 32, 36). `spent`: after a logout or a login answers are void too; they hold tokens, and whoever waits for one finds it gone.
 */
async function sweep(folder: string, key: string, now: number, what: 'unfinished' | 'spent'): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${key}.`)) continue;
    const isVoid = what === 'spent' && /\.(claim|answer|lost)$/.test(name);
    const isUnfinished = /^[^.]+\.json\.[^.]+\.tmp$/.test(name);
    const isLeftBehind = /\.(claim|answer|lost|next|tmp)$/.test(name);
    if (!isVoid && !isUnfinished && !isLeftBehind) continue;
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined) continue;
    if (isVoid || isUnfinished || Math.abs(now - stats.mtimeMs) >= ORPHAN_AGE_MS) await removeFile(path);
  }
}

/** False: somebody who found it has made it the record already, or has written something newer and swept it away. */
async function promote(staged: string, path: string): Promise<boolean> {
  try {
    await moveFile(staged, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Compare and set, without the set. What cannot be read is not what was expected, unless anything is. */
async function nextRecord(
  path: string,
  record: NewRecord,
  expected: Expected | 'any',
): Promise<CredentialRecord | undefined> {
  const found = await readRecord(path);
  const stored = found.kind === 'record' ? found.record : undefined;
  if (expected !== 'any') {
    if (found.kind === 'corrupt' || !isExpected(stored, expected)) return undefined;
  } else if (found.kind === 'corrupt') await setAside(path);
  return { ...record, version: 1, revision: (stored?.revision ?? 0) + 1 };
}
