import { randomBytes } from 'node:crypto';
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { currentOwner, isAlive, type Liveness } from '../../platform/process/process-identity.ts';
import { createFileWhole, readOwnFile, removeFile, renameFile } from '../files/atomic-file.ts';
import { retryWhileHeldOpen } from '../files/held-open.ts';
import { parseOwned } from '../files/owner-file.ts';
import type { CredentialRecord } from '../record/record.ts';
import { prepareAnswerFile, readAnswerFile } from './response-file.ts';

/** One claim on a refresh token, as anyone finds it. */
export interface ClaimState {
  /** 1 for the first claim on this token, then 2, …: numbers are never used again, so that taking over is another O_EXCL. */
  readonly number: number;
  readonly owner: Liveness;
  /** Since the claim was made, whatever the wall clock did meanwhile. */
  readonly ageMs: number;
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
export interface ClaimFiles {
  readonly folder: string;
  readonly key: string;
  /** SHA-256 of the token. */
  readonly hash: string;
}

/** An owner record is below 1 KiB. */
const MAX_CLAIM_BYTES = 16 * 1024;

/** Claims that this process holds: its own process id alone would make a claim that an error left behind look held for ever. */
const heldHere = new Set<string>();

export function claimPath(files: ClaimFiles, number: number, suffix: 'claim' | 'answer' | 'lost'): string {
  return join(files.folder, `${files.key}.${files.hash}.${number}.${suffix}`);
}

export async function readClaims(files: ClaimFiles, now: number): Promise<ClaimState[]> {
  const prefix = `${files.key}.${files.hash}.`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  const numbers = names.flatMap((name) => {
    const found = /^([1-9]\d{0,5})\.claim$/.exec(name.slice(prefix.length));
    return found === null ? [] : [Number(found[1])];
  });
  const states = await Promise.all(numbers.map((number) => readClaim(files, number, now)));
  return states.filter((state) => state !== undefined).sort((a, b) => a.number - b.number);
}

async function readClaim(files: ClaimFiles, number: number, now: number): Promise<ClaimState | undefined> {
  const path = claimPath(files, number, 'claim');
  const [stats, read] = await Promise.all([
    stat(path).catch(() => undefined),
    readOwnFile(path, MAX_CLAIM_BYTES),
  ]);
  if (stats === undefined || read.kind === 'absent') return undefined;
  const claim = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
  // The owner first: whether it still lives is only of use if its answer is looked for afterwards.
  const owner = claim === undefined ? 'unknown' : await ownerOf(claim);
  const answer = await readAnswerFile(claimPath(files, number, 'answer'));
  const lost = await stat(claimPath(files, number, 'lost')).then(
    () => true,
    () => false,
  );
  return {
    number,
    owner,
    ageMs: Math.abs(now - stats.mtimeMs),
    spent: lost
      ? { kind: 'lost' }
      : answer.kind === 'whole'
        ? { kind: 'answered', record: answer.record }
        : { kind: answer.kind === 'empty' ? 'maybe' : 'no' },
  };
}

async function ownerOf(claim: NonNullable<ReturnType<typeof parseOwned>>): Promise<Liveness> {
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
export interface RefreshClaim {
  /** To be called right before the token is sent: from now on it may have been spent. Finds out whether the disk is full. */
  prepare(): Promise<void>;
  readonly answerPath: string;
  /** The token was not spent, or what came of it is in the record: no trace remains. */
  release(): Promise<void>;
  /** The token was sent and no answer came: others may try once more. */
  leaveLost(): Promise<void>;
  /** Leaves all as it is: for this process the claim is a dead one's from now on. */
  letGo(): void;
}

/** `undefined`: somebody else has that number. */
export async function createClaim(files: ClaimFiles, number: number): Promise<RefreshClaim | undefined> {
  const nonce = randomBytes(16).toString('hex');
  const bytes = Buffer.from(JSON.stringify({ nonce, owner: await currentOwner() }));
  heldHere.add(nonce);
  let created = false;
  try {
    created = await createFileWhole(claimPath(files, number, 'claim'), bytes);
  } finally {
    if (!created) heldHere.delete(nonce);
  }
  if (!created) return undefined;
  const answerPath = claimPath(files, number, 'answer');
  return {
    letGo: () => void heldHere.delete(nonce),
    prepare: () => prepareAnswerFile(answerPath),
    answerPath,
    release: async () => {
      heldHere.delete(nonce);
      await removeClaims(files, number);
    },
    leaveLost: async () => {
      heldHere.delete(nonce);
      const lost = claimPath(files, number, 'lost');
      await renameFile(answerPath, lost);
      // Its presence is all that counts, and a server that is down for hours makes many.
      await retryWhileHeldOpen(() => truncate(lost));
    },
  };
}

/** One claim, or all on this token. The answer goes first: a claim without one says "not spent", which by then is true. */
export async function removeClaims(files: ClaimFiles, only?: number): Promise<void> {
  const prefix = `${files.key}.${files.hash}.${only === undefined ? '' : `${only}.`}`;
  const names = (await readdir(files.folder)).filter((name) => name.startsWith(prefix));
  const rank = (name: string) => (name.endsWith('.claim') ? 1 : 0);
  for (const name of names.sort((a, b) => rank(a) - rank(b))) await removeFile(join(files.folder, name));
}
