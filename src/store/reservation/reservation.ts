import { randomBytes } from 'node:crypto';
import { readdir, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { currentOwner, isAlive, type ProcessLiveness } from '../../platform/process/process-identity.ts';
import { createFileWhole, readOwnFile, removeFile, renameFile } from '../files/atomic-file.ts';
import { retryWhileHeldOpen } from '../files/held-open.ts';
import { parseOwned } from '../files/owner-file.ts';
import type { CredentialRecord } from '../record/record.ts';
import { prepareAnswerFile, readAnswerFile } from './response-file.ts';

/** One claim on a refresh token, as anyone finds it. */
export interface ReservationState {
  /** 1 for the first claim on this token, then 2, …: numbers are never used again, so that taking over is another O_EXCL. */
  readonly number: number;
  readonly owner: ProcessLiveness;
  /** Since the claim was made or last touched, whatever the wall clock did meanwhile. */
  readonly ageMs: number;
  /** Changes with each sign of life of its owner. */
  readonly sign: string;
  /** Its owner touches it for as long as it lives; versions before this one did not. */
  readonly hasHeartbeat: boolean;
  readonly spent: Spent;
}

export type Spent =
  /** The request has not been sent. */
  | { readonly kind: 'no' }
  /** It may have been. */
  | { readonly kind: 'maybe' }
  /** It may have been, and its owner has stopped waiting for the answer. */
  | { readonly kind: 'lost' }
  /** It has, and this is what came back, as a whole record. */
  | { readonly kind: 'answered'; readonly record: CredentialRecord };

/** The files of the claims on one refresh token. */
export interface ReservationFiles {
  readonly folder: string;
  readonly key: string;
  /** SHA-256 of the token. */
  readonly hash: string;
}

/** How often an owner touches its claim, from the claim to the answer: a process that cannot look it up has nothing else to go by. */
const HEARTBEAT_MS = 2_000;
/** An owner record is below 1 KiB. */
const MAX_RESERVATION_BYTES = 16 * 1024;

/** Claims that this process holds: its own process id alone would make a claim that an error left behind look held for ever. */
const heldHere = new Set<string>();

export function reservationPath(
  files: ReservationFiles,
  number: number,
  suffix: 'claim' | 'answer' | 'lost',
): string {
  return join(files.folder, `${files.key}.${files.hash}.${number}.${suffix}`);
}

export async function readReservations(files: ReservationFiles, now: number): Promise<ReservationState[]> {
  const numbers = await claimNumbers(files);
  const states = await Promise.all(numbers.map((number) => readClaim(files, number, now)));
  return states.filter((state) => state !== undefined).sort((a, b) => a.number - b.number);
}

async function claimNumbers(files: ReservationFiles): Promise<number[]> {
  const prefix = `${files.key}.${files.hash}.`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  return names.flatMap((name) => {
    const found = /^([1-9]\d{0,5})\.claim$/.exec(name.slice(prefix.length));
    return found === null ? [] : [Number(found[1])];
  });
}

async function readClaim(
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
  const claim = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
  // The owner first: whether it still lives is only of use if its answer is looked for afterwards.
  const owner = claim === undefined ? 'unknown' : await ownerOf(claim);
  const answer = await readAnswerFile(reservationPath(files, number, 'answer'));
  const lost = await stat(reservationPath(files, number, 'lost')).then(
    () => true,
    () => false,
  );
  return {
    number,
    owner,
    ageMs: Math.abs(now - stats.mtimeMs),
    sign: `${claim?.nonce}:${stats.mtimeMs}`,
    hasHeartbeat: claim?.heartbeat === true,
    spent: lost
      ? { kind: 'lost' }
      : answer.kind === 'whole'
        ? { kind: 'answered', record: answer.record }
        : { kind: answer.kind === 'empty' ? 'maybe' : 'no' },
  };
}

async function ownerOf(claim: NonNullable<ReturnType<typeof parseOwned>>): Promise<ProcessLiveness> {
  const here = await currentOwner();
  const isOurs =
    claim.owner.pid === here.pid &&
    claim.owner.startTime === here.startTime &&
    claim.owner.bootId === here.bootId &&
    claim.owner.pidNamespace === here.pidNamespace &&
    claim.owner.host === here.host;
  if (isOurs) return heldHere.has(claim.nonce) ? 'alive' : 'dead';
  return isAlive(claim.owner);
}

/** The right to spend one refresh token once. */
export interface Reservation {
  /**
   * To be called right before the token is sent: from now on it may have been spent. Finds out whether the disk is full. False: another
   * process took this one for dead and has claimed the token; it must not be sent from here.
   */
  prepare(): Promise<boolean>;
  readonly answerPath: string;
  /** The token was not spent, or what came of it is in the record: no trace remains. */
  release(): Promise<void>;
  /** The token was sent and no answer came: others may try once more. */
  leaveLost(): Promise<void>;
  /** Leaves all as it is: for this process the claim is a dead one's from now on. */
  letGo(): void;
}

/** `undefined`: somebody else has that number. */
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
  const answerPath = reservationPath(files, number, 'answer');
  const over = new AbortController();
  void keepTouching(path, clock, over.signal);
  const letGo = () => {
    heldHere.delete(nonce);
    over.abort();
  };
  return {
    letGo,
    prepare: async () => {
      if (!(await prepareAnswerFile(answerPath))) return false;
      await touch(path, clock);
      return isStillOurs(files, number, nonce);
    },
    answerPath,
    release: async () => {
      letGo();
      await removeReservations(files, number);
    },
    leaveLost: async () => {
      letGo();
      const lost = reservationPath(files, number, 'lost');
      await renameFile(answerPath, lost);
      // Its presence is all that counts, and a server that is down for hours makes many.
      await retryWhileHeldOpen(() => truncate(lost));
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

/** Where that fails the claim has gone, or the disk has: others find out by themselves. */
async function touch(path: string, clock: Clock): Promise<void> {
  const seconds = clock.now() / 1000;
  await utimes(path, seconds, seconds).catch(() => {});
}

/**
 * A process that was suspended for long in another container, or on another machine, may have been taken for dead. The answer's file is
 * there before this look, and whoever claims next looks for that file after its own claim is there: one of the two sees the other.
 */
async function isStillOurs(files: ReservationFiles, number: number, nonce: string): Promise<boolean> {
  const read = await readOwnFile(reservationPath(files, number, 'claim'), MAX_RESERVATION_BYTES);
  if (read.kind !== 'bytes' || parseOwned(read.bytes)?.nonce !== nonce) return false;
  return (await claimNumbers(files)).every((other) => other <= number);
}

/** One claim, or all on this token. The answer goes first: a claim without one says "not spent", which by then is true. */
export async function removeReservations(files: ReservationFiles, only?: number): Promise<void> {
  const prefix = `${files.key}.${files.hash}.${only === undefined ? '' : `${only}.`}`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  const rank = (name: string) => (name.endsWith('.claim') ? 1 : 0);
  for (const name of names.sort((a, b) => rank(a) - rank(b))) await removeFile(join(files.folder, name));
}
