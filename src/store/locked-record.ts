import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { moveFile, removeFile, stageFile, syncFolder } from './files/atomic-file.ts';
import { removeMove } from './files/move-note.ts';
import { StoreError, systemCode } from './files/store-errors.ts';
import { type FileLockOptions, type LockDeps, type LockGuard, withFileLock } from './lock/file-lock.ts';
import type { HeldReservation, LockedRecord } from './port/store.ts';
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
import { fillResponseFile } from './reservation/response-file.ts';
import type { FolderSealing, RecordForm } from './sealing/folder-sealing.ts';

/** How often in a row a write may find that the form of records has changed: a person turns sealing on or off. */
const MAX_FORMS = 5;

/** A temporary file this old has lost its process: a rename needs it only for a moment. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

interface Place {
  readonly folder: string;
  readonly key: string;
  /** The record's file. */
  readonly path: string;
  readonly sealing: FolderSealing;
}

interface HeldParts extends Place {
  readonly guard: LockGuard;
  readonly clock: Clock;
}

/** All operations on a credential's files, under its lock. */
export function withDiskLock<T>(
  place: Place,
  run: (locked: LockedRecord) => Promise<T>,
  options: FileLockOptions<T>,
  deps: LockDeps,
): Promise<T> {
  const { clock } = deps;
  return withFileLock(place.path, (guard) => run(lockedRecord({ ...place, guard, clock })), options, deps);
}

function lockedRecord({ folder, key, path, guard, clock, sealing }: HeldParts): LockedRecord {
  const whileHeld = async () => {
    if (guard.lost()) await guard.reacquire();
  };
  const files = (hash: string): ReservationFiles => ({ folder, key, hash, opener: sealing });
  const fileOf = (form: RecordForm, record: CredentialRecord) => form.file(key, serializeRecord(record));
  /** The staged record, in the form that is required once it is renamed: turning sealing on or off removes files that were staged before. */
  const stage = async (record: CredentialRecord): Promise<string> => {
    for (let attempt = 1; attempt <= MAX_FORMS; attempt++) {
      const form = await sealing.form();
      const staged = await stageFile(path, fileOf(form, record));
      if (await sealing.isStill(form)) return staged;
      await removeFile(staged);
      await whileHeld();
    }
    throw new StoreError('how logins are kept changes all the time');
  };
  return {
    lost: () => guard.lost(),
    read: async (identity) => {
      const found = await readRecord(path, sealing, identity);
      if (found.kind !== 'corrupt') return found;
      await whileHeld();
      return { kind: 'corrupt', setAside: await setAside(path, sealing) };
    },
    write: async (record, expected) => {
      await whileHeld();
      const next =
        expected === 'any' ? await nextRecord(path, record, 'any', sealing) : successor(record, expected);
      if (next === undefined) return { kind: 'superseded' };
      const staged = await stage(next);
      // Staged, then compared, then renamed. A process that writes after this check removes the staged file, however long this one is suspended.
      const still = await nextRecord(path, record, expected, sealing);
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
      await removeMove(folder, key);
      await sweep(folder, key, clock.now(), 'spent');
    },
    setAside: () => readSetAside(folder, key, sealing),
    reservations: (hash) => readReservations(files(hash), clock.now()),
    clearReservations: (hash) => removeReservations(files(hash)),
    reserve: async (hash, number): Promise<HeldReservation | undefined> => {
      const reservation = await createReservation(files(hash), number, clock);
      if (reservation === undefined) return undefined;
      let form: RecordForm | undefined;
      return {
        prepare: async () => {
          // The response has to be stored: without the key the token is not sent. Turning sealing on or off waits for this reservation.
          form = await sealing.form();
          return reservation.prepare();
        },
        release: reservation.release,
        markAmbiguous: reservation.markAmbiguous,
        abandon: reservation.abandon,
        commit: async (record, expected) => {
          if (expected === null) throw new StoreError('a refresh has a record to begin with');
          // On disk before anything else: if this process dies here, another one finds the response.
          form ??= await sealing.form();
          const bytes = fileOf(form, successor(record, expected));
          const filled = await fillResponseFile(reservation.responsePath, bytes);
          await whileHeld();
          const next = filled ? await nextRecord(path, record, expected, sealing) : undefined;
          const promoted = next !== undefined && (await promote(reservation.responsePath, path));
          await reservation.release();
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
 * Removes files that other processes left for this credential; to be called by the lock's holder. A record that was written but not yet renamed belongs to a
 * process that was killed, or suspended after its last look at the record: without that file its rename fails, and restores nothing (test/README.md, faults 32,
 * 36). `spent`: after a logout or a login, responses are void too; they contain tokens, and a process that waits for one finds it gone.
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

/** False: another process has already stored it as the record, or has written something newer and removed it. */
async function promote(staged: string, path: string): Promise<boolean> {
  try {
    await moveFile(staged, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Reads and compares: the record to write, or undefined if the stored one is not the expected one. An unreadable record only matches `any`. */
async function nextRecord(
  path: string,
  record: NewRecord,
  expected: Expected | 'any',
  sealing: FolderSealing,
): Promise<CredentialRecord | undefined> {
  const found = await readRecord(path, sealing);
  const stored = found.kind === 'record' ? found.record : undefined;
  if (expected !== 'any') {
    if (found.kind === 'corrupt' || !isExpected(stored, expected)) return undefined;
  } else if (found.kind === 'corrupt') await setAside(path, sealing);
  return successor(record, stored ?? null);
}

/** The record that replaces `before`. */
function successor(record: NewRecord, before: Expected): CredentialRecord {
  return { ...record, version: 1, revision: (before?.revision ?? 0) + 1 };
}
