import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../platform/owner.ts';
import { readOwnFile } from './atomic-file.ts';
import type { Leases, SignInFace } from './lease.ts';
import { parseOwned } from './owned-file.ts';
import { readRecord } from './read-record.ts';
import type { CredentialRecord } from './record.ts';
import { asStoreErrors, systemCode } from './store-errors.ts';

/** One credential as somebody finds it who only looks. */
export interface CredentialOverview {
  readonly key: string;
  readonly found:
    | { readonly kind: 'absent' | 'corrupt' }
    | { readonly kind: 'record'; readonly record: CredentialRecord };
  /** The sign-in that is going on. */
  readonly signIn?: SignInFace;
  readonly lock?: LockOverview;
}

export interface LockOverview {
  /** The lock itself names nobody; who refreshes under it leaves a claim that does. */
  readonly pid?: number;
  readonly heldForMs: number;
}

/** As in lock.ts: one that has not been touched for so long is nobody's. */
const STALE_MS = 15_000;
const MAX_CLAIM_BYTES = 16 * 1024;

/** Every credential in the folder, also those that a person is just signing in for. Takes no lock and changes nothing. */
export async function readOverview(
  folder: string,
  leases: Pick<Leases, 'holder' | 'readFace'>,
  now: number,
): Promise<CredentialOverview[]> {
  return asStoreErrors(folder, async () => {
    const names = await readdir(folder).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    });
    const keys = names.flatMap((name) => /^([0-9a-f]{64})\.(?:json|lease)$/.exec(name)?.[1] ?? []);
    const all = [...new Set(keys)].map((key) => readOne(folder, key, names, leases, now));
    return (await Promise.all(all)).filter(({ found, signIn }) => found.kind !== 'absent' || signIn);
  });
}

async function readOne(
  folder: string,
  key: string,
  names: readonly string[],
  leases: Pick<Leases, 'holder' | 'readFace'>,
  now: number,
): Promise<CredentialOverview> {
  const [found, nonce, face, lock] = await Promise.all([
    readRecord(join(folder, `${key}.json`)),
    leases.holder(key, now),
    leases.readFace(key),
    readLock(folder, key, names, now),
  ]);
  const isGoingOn = nonce !== undefined && face?.nonce === nonce;
  return {
    key,
    found,
    ...(isGoingOn ? { signIn: face } : {}),
    ...(lock === undefined ? {} : { lock }),
  };
}

async function readLock(
  folder: string,
  key: string,
  names: readonly string[],
  now: number,
): Promise<LockOverview | undefined> {
  const stats = await stat(join(folder, `${key}.json.lock`)).catch(() => undefined);
  if (stats === undefined || now - stats.mtimeMs > STALE_MS) return undefined;
  const heldForMs = Math.max(0, Math.round(now - stats.birthtimeMs));
  for (const name of names.filter((each) => each.startsWith(`${key}.`) && each.endsWith('.claim'))) {
    const read = await readOwnFile(join(folder, name), MAX_CLAIM_BYTES);
    const claim = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;
    if (claim !== undefined && (await isAlive(claim.owner)) !== 'dead')
      return { pid: claim.owner.pid, heldForMs };
  }
  return { heldForMs };
}
