import type { DrawbridgeError } from '../../errors.ts';
import { NotAuthenticError, UnknownKeyError } from '../files/store-errors.ts';
import type { Format } from './cell-codec.ts';
import { type Change, EngineCell, type EngineCellDeps } from './engine-cell.ts';
import type { KeyIndex } from './key-index.ts';
import { keptMs } from './login-cell.ts';
import { decodeCell } from './protocol/cell.ts';
import type { Timing } from './protocol/timing.ts';
import { KEPT_MS } from './shared-leases.ts';

/** What became of the cells of a store whose first key has changed. */
export interface Resealed {
  /** The id of the key under which all are now, except those that are left. */
  readonly keyId: string;
  /** How many logins, removed ones among them, were sealed under another key. */
  readonly done: number;
  /** How many were under that key already. */
  readonly before: number;
  readonly left: readonly Unsealable[];
  /** False: a failover may still bring back what was there, as far as the engine says. */
  readonly isSettled: boolean;
}

/** A login that could not be sealed under the first key, and why. */
export interface Unsealable {
  /** The key of the credential; its address is sealed. */
  readonly key: string;
  readonly error: DrawbridgeError;
}

export interface ResealDeps extends EngineCellDeps {
  readonly index: KeyIndex;
  readonly timing: Timing;
}

/** As it is, so that also what a later version has written stays whole. */
const AS_BYTES: Format<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };

/**
 * Seals every cell that is listed under the first key, in the place of what was there, if nobody has changed it meanwhile: else what they have put.
 * Bridges that run go on, since they have both keys. What is sealed under a key that is not at hand is left. The list itself is the last, so that a
 * run which was killed is done again as a whole. Rejects with StoreAwayError, and with UnknownKeyError where the list itself cannot be opened.
 */
export async function reseal({ index, timing, ...deps }: ResealDeps): Promise<Resealed> {
  const keys = await index.allKeys();
  const { codec } = deps;
  const { keyId } = codec;
  const left: Unsealable[] = [];
  let [done, before] = [0, 0];
  for (const key of keys) {
    try {
      const what = await resealCell(codec.name(key, 'credential'), deps, (bytes) => {
        const decoded = decodeCell(bytes);
        return decoded.kind === 'cell' ? keptMs(decoded.cell, timing) : undefined;
      });
      if (what === 'done') done++;
      if (what === 'before') before++;
      await resealCell(codec.name(key, 'sign-in'), deps, () => KEPT_MS);
    } catch (error) {
      left.push({ key, error: expectSealed(error) });
    }
  }
  await resealCell(codec.indexName, deps, () => undefined, true);
  const isSettled = await deps.engine.settled(timing.settledMs);
  return { keyId, done, before, left, isSettled };
}

/**
 * `keptMs`: how long the engine keeps such a value; it is counted from now on. `always`: also under the first key already; an engine says of what this
 * process has put, and of nothing else, whether it survives a failover.
 */
async function resealCell(
  name: string,
  deps: EngineCellDeps,
  keptMs: (bytes: Uint8Array) => number | undefined,
  always = false,
): Promise<'done' | 'before' | 'absent'> {
  const cell = new EngineCell(() => name, AS_BYTES, deps);
  const { seq, value, problem } = await cell.lookNow();
  if (value === undefined && problem === undefined && seq > 0)
    throw new NotAuthenticError('what the engine has was changed, or is no value of this program');
  const { kind, look } = await cell.change(
    (bytes): Change<Uint8Array> =>
      bytes === undefined || (!always && cell.latest?.keyId === deps.codec.keyId)
        ? { kind: 'as-is' }
        : { kind: 'put', value: bytes, expiresInMs: keptMs(bytes) },
    { tell: false },
  );
  if (kind === 'put') return 'done';
  return look.value === undefined ? 'absent' : 'before';
}

/** One login that cannot be opened keeps no other from being sealed; an engine that is away does. */
function expectSealed(error: unknown): DrawbridgeError {
  if (error instanceof NotAuthenticError || error instanceof UnknownKeyError) return error;
  throw error;
}
