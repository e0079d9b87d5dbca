import { join } from 'node:path';
import { quoteAddress } from '../../protocol/quote.ts';
import { moveFile, readOwnFile, removeFile, replaceFile } from '../files/atomic-file.ts';
import { isThere, type MoveNote, movingPath, notePath, writeMoveNote } from '../files/move-note.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import {
  CredentialPresentError,
  LockTimeoutError,
  NoLoginFoundError,
  StoreAwayError,
  StoreError,
  StoreMovedError,
} from '../files/store-errors.ts';
import type { FileStore } from '../port/file-store.ts';
import type { HeldReservation, LockedRecord, Store } from '../port/store.ts';
import { tokenHash } from '../record/key.ts';
import { openRecord } from '../record/read-record.ts';
import type { CredentialRecord, RecordIdentity } from '../record/record.ts';
import { serializeRecord } from '../record/record-schema.ts';
import type { FolderSealing } from '../sealing/folder-sealing.ts';

/** The two ends of a move: the folder of this machine, and a shared store. */
export interface MoveParts {
  readonly key: string;
  readonly identity: RecordIdentity;
  readonly file: { readonly store: FileStore; readonly sealing: FolderSealing };
  readonly shared: Store;
  /** Without the password. */
  readonly sharedAt: { readonly to: string; readonly prefix: string };
  /** Replaces an existing login. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * Moves a login from the folder to the store. The record is removed from its place before it is put, so that never two copies are in use; the next move
 * completes one that was killed. Resolves with the record. Rejects with NoLoginFoundError, CredentialPresentError, StoreAwayError, or LockTimeoutError during a
 * refresh.
 */
export function moveToShared(parts: MoveParts): Promise<CredentialRecord> {
  const { key, identity, file, shared, sharedAt, force, signal } = parts;
  const { folder } = file.store;
  const [path, moving] = [recordPath(folder, key), movingPath(folder, key)];
  return file.store.withLock(
    key,
    async (locked) => {
      const pending = await pendingRecord(parts);
      const here = await recordHere(locked);
      const record = here ?? pending;
      const there = await recordIn(shared, parts);
      if (record === undefined) {
        if (there !== undefined && (await isThere(notePath(folder, key)))) return there;
        throw noLogin(identity.server, 'on this machine');
      }
      if (here === undefined && there?.family === record.family) {
        // It arrived, and may have been refreshed since.
        await shared.withLock(key, (held) => expectSettled(parts, held), { signal });
        await removeFile(moving);
        return there;
      }
      if (there?.tokens !== undefined && !force) throw present(identity.server, sharedAt.to);
      const reservation = here && (await reserveToken(locked, here));
      try {
        await writeMoveNote(folder, key, noteOf(record, sharedAt));
        if (here !== undefined) await moveFile(path, moving);
        await put(parts, record, async () => {
          await moveFile(moving, path);
          await removeFile(notePath(folder, key));
        });
        await removeFile(moving);
        return record;
      } finally {
        await reservation?.release();
      }
    },
    { signal },
  );
}

/** The reverse; rejects like `moveToShared`. */
export function moveToFile(parts: MoveParts): Promise<CredentialRecord> {
  const { key, identity, file, shared, sharedAt, force, signal } = parts;
  const { folder } = file.store;
  const [path, moving] = [recordPath(folder, key), movingPath(folder, key)];
  const arrive = async (record: CredentialRecord) => {
    await moveFile(moving, path);
    await removeFile(notePath(folder, key));
    return record;
  };
  return file.store.withLock(
    key,
    async (locked) => {
      const here = await recordHere(locked);
      return shared.withLock(
        key,
        async (there) => {
          const found = await there.read(identity);
          if (found.kind !== 'record') {
            if (here !== undefined) return here;
            const pending = await pendingRecord(parts);
            if (pending !== undefined) {
              await expectSettled(parts, there);
              return arrive(pending);
            }
            throw noLogin(identity.server, `in the store ${sharedAt.to}`);
          }
          const { record } = found;
          if (here?.tokens !== undefined && !force) throw present(identity.server, folder);
          const reservation = await reserveToken(there, record);
          try {
            if (here !== undefined) await locked.remove();
            await writeMoveNote(folder, key, noteOf(record, sharedAt));
            const form = await file.sealing.form();
            await replaceFile(moving, form.file(key, serializeRecord(record)));
            await there.remove();
            await expectSettled(parts, there);
          } catch (error) {
            // If it is uncertain that nothing was removed, the next move checks.
            if (!(error instanceof StoreAwayError) || error.applied === 'no') await removeFile(moving);
            throw error;
          } finally {
            await reservation?.release().catch(() => 'it went with the record');
          }
          return arrive(record);
        },
        { signal },
      );
    },
    { signal },
  );
}

/** Puts the record into the store; `undo`: certainly nothing was put. */
async function put(parts: MoveParts, record: CredentialRecord, undo: () => Promise<void>): Promise<void> {
  const { key, shared, signal } = parts;
  const { revision: _revision, version: _version, ...login } = record;
  try {
    const write = async (there: LockedRecord) => {
      await there.write(login, 'any');
      await expectSettled(parts, there);
    };
    await shared.withLock(key, write, { signal });
  } catch (error) {
    if (error instanceof StoreAwayError && error.applied === 'maybe') throw error;
    await undo();
    throw error;
  }
}

/**
 * What was put or removed in the store must survive a failover before the other place changes: brought back, it would be the second of two logins that
 * log each other out; lost, there would be none. Rejects with StoreAwayError, and what is on its way stays where it is until the move is run again.
 */
async function expectSettled({ sharedAt: { to } }: MoveParts, there: LockedRecord): Promise<void> {
  if (there.settled === undefined || (await there.settled())) return;
  throw new StoreAwayError(
    `none of the replicas of the store ${to} has said that it has the change, and a failover could lose it`,
    {
      applied: 'maybe',
      hint: 'Run the same `move` again when a replica answers; until then nothing is lost.',
    },
  );
}

/** A reservation of the refresh token, so that no one uses it meanwhile; undefined if there is none. */
async function reserveToken(
  locked: LockedRecord,
  { tokens, family }: CredentialRecord,
): Promise<HeldReservation | undefined> {
  const { refreshToken } = tokens ?? {};
  if (refreshToken === undefined) return undefined;
  const hash = tokenHash(refreshToken);
  const states = await locked.reservations(hash);
  const last = states.at(-1);
  const isAnswered = states.some(
    ({ request }) => request.kind === 'answered' && request.record.family === family,
  );
  const isGoingOn = last !== undefined && last.owner !== 'dead' && last.request.kind !== 'ambiguous';
  const reservation =
    isAnswered || isGoingOn ? undefined : await locked.reserve(hash, (last?.number ?? 0) + 1);
  if (reservation !== undefined) return reservation;
  throw new LockTimeoutError('the login is being refreshed', { hint: 'Try again in some seconds.' });
}

async function recordHere(locked: LockedRecord): Promise<CredentialRecord | undefined> {
  try {
    const found = await locked.read();
    return found.kind === 'record' ? found.record : undefined;
  } catch (error) {
    if (error instanceof StoreMovedError) return undefined;
    throw error;
  }
}

async function recordIn(store: Store, { key, identity }: MoveParts): Promise<CredentialRecord | undefined> {
  const found = await store.read(key, identity);
  return found.kind === 'record' ? found.record : undefined;
}

/** The record of an interrupted move. */
async function pendingRecord({ key, file }: MoveParts): Promise<CredentialRecord | undefined> {
  const path = movingPath(file.store.folder, key);
  if (!(await isThere(path))) return undefined;
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  const parsed = read.kind === 'bytes' ? await openRecord(path, key, read.bytes, file.sealing) : undefined;
  if (parsed?.kind === 'record') return parsed.record;
  throw new StoreError(`${path} holds no login that can be read`);
}

const recordPath = (folder: string, key: string): string => join(folder, `${key}.json`);

function noteOf({ server, profile }: CredentialRecord, at: MoveParts['sharedAt']): MoveNote {
  return { ...at, server, profile: profile ?? 'default' };
}

function noLogin(server: string, where: string): NoLoginFoundError {
  return new NoLoginFoundError(`there is no login for ${quoteAddress(server)} ${where}`);
}

function present(server: string, where: string): CredentialPresentError {
  return new CredentialPresentError(`there is already a login for ${quoteAddress(server)} in ${where}`, {
    hint: 'Add --force to replace it.',
  });
}
