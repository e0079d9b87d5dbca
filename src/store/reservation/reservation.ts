import { randomBytes } from 'node:crypto';
import { readdir, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { currentOwner, isAlive, type ProcessLiveness } from '../../platform/process/process-identity.ts';
import { createFileWhole, readOwnFile, removeFile, renameFile } from '../files/atomic-file.ts';
import { retryWhileHeldOpen } from '../files/held-open.ts';
import { parseOwned } from '../files/owner-file.ts';
import type { Opener } from '../record/read-record.ts';
import type { CredentialRecord } from '../record/record.ts';
import { HEARTBEAT_MS, MAX_RESERVATION_BYTES } from './limits.ts';
import { prepareResponseFile, readResponseFile } from './response-file.ts';

/** One reservation of a refresh token, as any process finds it. */
export interface ReservationState {
  /** 1 for the first reservation of this token, then 2, …: numbers are never reused, so that a takeover is another O_EXCL. */
  readonly number: number;
  readonly owner: ProcessLiveness;
  /** Milliseconds since the reservation was created or last touched. */
  readonly ageMs: number;
  /** Changes with each sign of life of its owner. */
  readonly sign: string;
  /** The owner touches it while it lives; earlier versions did not. */
  readonly hasHeartbeat: boolean;
  readonly request: RequestState;
}

/** What became of the refresh request. */
export type RequestState =
  /** Not sent. */
  | { readonly kind: 'no' }
  /** It may have been sent. */
  | { readonly kind: 'maybe' }
  /** It may have been sent, and the owner no longer waits for the response. */
  | { readonly kind: 'ambiguous' }
  /** It was sent, and this is the response, as a complete record. */
  | { readonly kind: 'answered'; readonly record: CredentialRecord };

/** The files of the reservations of one refresh token. */
export interface ReservationFiles {
  readonly folder: string;
  readonly key: string;
  /** SHA-256 of the token. */
  readonly hash: string;
  readonly opener: Opener;
}

/** The reservations that this process holds. By its process id alone, a reservation left behind by an error would look held forever. */
const heldHere = new Set<string>();

export function reservationPath(
  files: ReservationFiles,
  number: number,
  suffix: 'claim' | 'answer' | 'lost',
): string {
  return join(files.folder, `${files.key}.${files.hash}.${number}.${suffix}`);
}

export async function readReservations(files: ReservationFiles, now: number): Promise<ReservationState[]> {
  const numbers = await reservationNumbers(files);
  const states = await Promise.all(numbers.map((number) => readReservation(files, number, now)));
  return states.filter((state) => state !== undefined).sort((a, b) => a.number - b.number);
}

async function reservationNumbers(files: ReservationFiles): Promise<number[]> {
  const prefix = `${files.key}.${files.hash}.`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  return names.flatMap((name) => {
    const found = /^([1-9]\d{0,5})\.claim$/.exec(name.slice(prefix.length));
    return found === null ? [] : [Number(found[1])];
  });
}

async function readReservation(
  files: ReservationFiles,
  number: number,
  now: number,
): Promise<ReservationState | undefined> {
  const path = reservationPath(files, number, 'claim');
  const [stats, read] = await Promise.all([
    stat(path).catch(() => undefined),
    readOwnFile(path, MAX_RESERVATION_BYTES),
  ]);
  if (stats === undefined || read.kind === 'absent') return undefined;
  const reservation = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
  // The owner first: its liveness only tells about what it has written before.
  const owner = reservation === undefined ? 'unknown' : await ownerOf(reservation);
  const response = await readResponseFile(reservationPath(files, number, 'answer'), files.key, files.opener);
  const isAmbiguous = await stat(reservationPath(files, number, 'lost')).then(
    () => true,
    () => false,
  );
  return {
    number,
    owner,
    ageMs: Math.abs(now - stats.mtimeMs),
    sign: `${reservation?.nonce}:${stats.mtimeMs}`,
    hasHeartbeat: reservation?.heartbeat === true,
    request: isAmbiguous
      ? { kind: 'ambiguous' }
      : response.kind === 'whole'
        ? { kind: 'answered', record: response.record }
        : { kind: response.kind === 'empty' ? 'maybe' : 'no' },
  };
}

async function ownerOf(reservation: NonNullable<ReturnType<typeof parseOwned>>): Promise<ProcessLiveness> {
  const here = await currentOwner();
  const isOurs =
    reservation.owner.pid === here.pid &&
    reservation.owner.startTime === here.startTime &&
    reservation.owner.bootId === here.bootId &&
    reservation.owner.pidNamespace === here.pidNamespace &&
    reservation.owner.host === here.host;
  if (isOurs) return heldHere.has(reservation.nonce) ? 'alive' : 'dead';
  return isAlive(reservation.owner);
}

/** The right to send one refresh token once. */
export interface Reservation {
  /**
   * Call it right before the token is sent: from then on the token may have been used. Reserves space for the response on disk, so that a full disk is noticed
   * before. False: another process took this one for dead and has reserved the token; this one must not send it.
   */
  prepare(): Promise<boolean>;
  readonly responsePath: string;
  /** The token was not sent, or the response is in the record: removes all files of this reservation. */
  release(): Promise<void>;
  /** The token was sent and no response came: other processes may try once more. */
  markAmbiguous(): Promise<void>;
  /** Leaves the files as they are: for this process, too, the owner is dead from now on. */
  abandon(): void;
}

/** Undefined: another process has that number. */
export async function createReservation(
  files: ReservationFiles,
  number: number,
  clock: Clock,
): Promise<Reservation | undefined> {
  const nonce = randomBytes(16).toString('hex');
  const bytes = Buffer.from(JSON.stringify({ nonce, owner: await currentOwner(), heartbeat: true }));
  heldHere.add(nonce);
  const path = reservationPath(files, number, 'claim');
  let created = false;
  try {
    created = await createFileWhole(path, bytes);
  } finally {
    if (!created) heldHere.delete(nonce);
  }
  if (!created) return undefined;
  const responsePath = reservationPath(files, number, 'answer');
  const ended = new AbortController();
  void keepTouching(path, clock, ended.signal);
  const abandon = () => {
    heldHere.delete(nonce);
    ended.abort();
  };
  return {
    abandon,
    prepare: async () => {
      if (!(await prepareResponseFile(responsePath))) return false;
      await touch(path, clock);
      return isStillOurs(files, number, nonce);
    },
    responsePath,
    release: async () => {
      abandon();
      await removeReservations(files, number);
    },
    markAmbiguous: async () => {
      abandon();
      const marker = reservationPath(files, number, 'lost');
      await renameFile(responsePath, marker);
      // Only its presence matters, and a server that is down for hours leads to many of them.
      await retryWhileHeldOpen(() => truncate(marker));
    },
  };
}

async function keepTouching(path: string, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(HEARTBEAT_MS, signal);
    } catch {
      return;
    }
    await touch(path, clock);
  }
}

/** If that fails, the reservation or the disk is gone: other processes notice by themselves. */
async function touch(path: string, clock: Clock): Promise<void> {
  const seconds = clock.now() / 1000;
  await utimes(path, seconds, seconds).catch(() => {});
}

/**
 * A process that was suspended for long in another container, or on another machine, may have been taken for dead. It creates the response's file before this
 * check, and the next process looks for that file after it has created its own reservation: one of the two sees the other.
 */
async function isStillOurs(files: ReservationFiles, number: number, nonce: string): Promise<boolean> {
  const read = await readOwnFile(reservationPath(files, number, 'claim'), MAX_RESERVATION_BYTES);
  if (read.kind !== 'bytes' || parseOwned(read.bytes)?.nonce !== nonce) return false;
  return (await reservationNumbers(files)).every((other) => other <= number);
}

/** Removes one reservation, or all of this token. The response goes first: a reservation without one says "not sent". */
export async function removeReservations(files: ReservationFiles, only?: number): Promise<void> {
  const prefix = `${files.key}.${files.hash}.${only === undefined ? '' : `${only}.`}`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  const rank = (name: string) => (name.endsWith('.claim') ? 1 : 0);
  for (const name of names.sort((a, b) => rank(a) - rank(b))) await removeFile(join(files.folder, name));
}
