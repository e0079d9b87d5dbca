import {
  comparePlace,
  currentOwner,
  isAlive,
  type Liveness,
  type Owner,
} from '../../platform/process/process-identity.ts';
import type { Random } from '../../platform/random.ts';
import { createFileWhole, readOwnFile, removeFile } from '../files/atomic-file.ts';
import { isHeldOpen } from '../files/held-open.ts';
import { parseOwned } from '../files/owner-file.ts';

/**
 * Whose the lock is, and how it goes over from a process that is provably dead.
 *
 *   FILE.lock              names its owner from the moment that it is there: link(2) makes it whole, and for one process only
 *   FILE.lock.NONCE.next   names the successor of the owner with that nonce, made in the same way
 *
 * A dead owner's lock is inherited where it lies, not removed: who removes by name may remove the lock that somebody else has just made.
 * Why two never inherit the same lock:
 *
 * 1. A nonce is random, so a lock that names it is at that name once and never again.
 * 2. While it is there its successors are only added to: they go after the lock has gone (`forgetSuccessors`).
 * 3. Each is added by one process of all, who saw that the owner before it is dead. So all but the last are dead.
 * 4. Who added one and then still finds that lock there (`isThere`) is therefore the only living one. Who does not find it came late and
 *    has added to a lock that is over: its file means nothing to anybody, and it takes that away again.
 *
 * Whoever dies on the way leaves a chain that ends with a dead process, as before. An owner that cannot be judged (another host's,
 * boot's or container's, an older version's folder, nonsense) is given up after 15 s, see lock.ts.
 */
export type LockSight =
  | { readonly kind: 'absent' }
  /** Names nobody. */
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'owned';
      /** The nonce in the lock itself. */
      readonly first: string;
      readonly last: LockOwner;
      /** Files that name successors. */
      readonly successors: readonly string[];
    };

export interface LockOwner {
  readonly nonce: string;
  readonly owner: Owner;
  readonly liveness: Liveness;
  readonly file: string;
}

/** A lock that is this process's. */
export interface TakenLock {
  readonly first: string;
  readonly successors: readonly string[];
}

export type TakeStep =
  | { readonly kind: 'make' }
  | { readonly kind: 'inherit'; readonly from: Extract<LockSight, { kind: 'owned' }> }
  | { readonly kind: 'wait' };

/** An owner record is below 1 KiB. */
const MAX_BYTES = 16 * 1024;
/** Each is a process that died while it held the lock; more of them than this is no accident, and waits for 15 s. */
const MAX_SUCCESSORS = 32;
/** It becomes part of a file's name. */
const NONCE = /^[0-9a-f]{32}$/;

export function decideTake(sight: LockSight): TakeStep {
  switch (sight.kind) {
    case 'absent':
      return { kind: 'make' };
    case 'unreadable':
      return { kind: 'wait' };
    case 'owned': {
      const mayInherit = sight.last.liveness === 'dead' && sight.successors.length < MAX_SUCCESSORS;
      return mayInherit ? { kind: 'inherit', from: sight } : { kind: 'wait' };
    }
  }
}

export async function seeLock(path: string): Promise<LockSight> {
  const successors: string[] = [];
  let first: string | undefined;
  let last: Omit<LockOwner, 'liveness'> | undefined;
  for (let file = path; successors.length <= MAX_SUCCESSORS; file = successorOf(path, last.nonce)) {
    const found = await readOwned(file);
    if (found === 'absent') break;
    if (found === 'unreadable') return { kind: 'unreadable' };
    if (last !== undefined) successors.push(file);
    first ??= found.nonce;
    last = { ...found, file };
  }
  if (first === undefined || last === undefined) return { kind: 'absent' };
  return { kind: 'owned', first, last: { ...last, liveness: await judge(last.owner) }, successors };
}

/** `undefined`: it is another's. */
export async function takeLock(
  path: string,
  step: TakeStep,
  random: Pick<Random, 'bytes'>,
): Promise<TakenLock | undefined> {
  if (step.kind === 'wait') return undefined;
  const nonce = Buffer.from(random.bytes(16)).toString('hex');
  const bytes = Buffer.from(JSON.stringify({ nonce, owner: await currentOwner() }));
  if (step.kind === 'make') {
    return (await create(path, bytes)) ? { first: nonce, successors: [] } : undefined;
  }
  const { first, last, successors } = step.from;
  const own = successorOf(path, last.nonce);
  if (!(await create(own, bytes))) return undefined;
  if (await isThere(path, first)) return { first, successors: [...successors, own] };
  await removeFile(own);
  return undefined;
}

/** Is the lock still the one with this nonce? */
export async function isThere(path: string, first: string): Promise<boolean> {
  const found = await readOwned(path);
  return typeof found === 'object' && found.nonce === first;
}

/** Only after the lock itself has gone. */
export async function forgetSuccessors({ successors }: TakenLock): Promise<void> {
  for (const file of successors) await removeFile(file);
}

/** Machines that share a home may share a name: who is not in our process table is left to the 15 s, also where it looks like our last boot. */
async function judge(owner: Owner): Promise<Liveness> {
  return comparePlace(owner, await currentOwner()) === 'here' ? isAlive(owner) : 'unknown';
}

function successorOf(path: string, nonce: string): string {
  return `${path}.${nonce}.next`;
}

async function readOwned(
  file: string,
): Promise<{ readonly nonce: string; readonly owner: Owner } | 'absent' | 'unreadable'> {
  const read = await readOwnFile(file, MAX_BYTES);
  if (read.kind === 'absent') return 'absent';
  const owned = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
  return owned !== undefined && NONCE.test(owned.nonce) ? owned : 'unreadable';
}

/** Not fsynced: after a power cut whoever it names is dead by the boot's id, and half of it names nobody. */
async function create(file: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return await createFileWhole(file, bytes, 'unsynced');
  } catch (error) {
    // Windows keeps the name of a deleted file for as long as somebody still reads it.
    if (process.platform === 'win32' && isHeldOpen(error)) return false;
    throw error;
  }
}
