import { InternalError } from '../../errors.ts';
import {
  currentOwner,
  isAlive,
  type Owner,
  type ProcessLiveness,
} from '../../platform/process/process-identity.ts';

/** The identity of this process, and what it knows of others. */
export interface Ownership {
  /** Known once `ready` has resolved. */
  readonly owner: Owner;
  /** Finds out what the owner is. Most processes start, and end, without a need for it. */
  ready(): Promise<void>;
  /** Whether the process that created this nonce still uses it; `unknown` for one on another machine. */
  liveness(owner: Owner, nonce: string): Promise<ProcessLiveness>;
  /** Marks the nonce as in use by this process, until it is dropped. */
  hold(nonce: string): void;
  drop(nonce: string): void;
}

/** The nonces of all stores in this process: by its process id alone, anything left behind by an error would look held forever. */
const heldHere = new Set<string>();

/** As this process sees it. */
export function systemOwnership(): Ownership {
  let self: Owner | undefined;
  return {
    get owner() {
      if (self === undefined) throw new InternalError('the owner is asked for before it is known');
      return self;
    },
    ready: async () => {
      self ??= await currentOwner();
    },
    liveness: async (other, nonce) => {
      if (heldHere.has(nonce)) return 'alive';
      return isSame(await currentOwner(), other) ? 'dead' : isAlive(other);
    },
    hold: (nonce) => void heldHere.add(nonce),
    drop: (nonce) => void heldHere.delete(nonce),
  };
}

function isSame(one: Owner, other: Owner): boolean {
  return (
    one.pid === other.pid &&
    one.startTime === other.startTime &&
    one.bootId === other.bootId &&
    one.pidNamespace === other.pidNamespace &&
    one.host === other.host
  );
}
