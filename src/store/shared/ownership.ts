import {
  currentOwner,
  isAlive,
  type Owner,
  type ProcessLiveness,
} from '../../platform/process/process-identity.ts';

/** The identity of this process, and what it knows of others. */
export interface Ownership {
  readonly owner: Owner;
  /** Whether the process that created this nonce still uses it; `unknown` for one on another machine. */
  liveness(owner: Owner, nonce: string): Promise<ProcessLiveness>;
  /** Marks the nonce as in use by this process, until it is dropped. */
  hold(nonce: string): void;
  drop(nonce: string): void;
}

/** The nonces of all stores in this process: by its process id alone, anything left behind by an error would look held forever. */
const heldHere = new Set<string>();

/** As this process sees it. */
export async function systemOwnership(): Promise<Ownership> {
  const owner = await currentOwner();
  return {
    owner,
    liveness: async (other, nonce) => {
      if (heldHere.has(nonce)) return 'alive';
      return isSame(owner, other) ? 'dead' : isAlive(other);
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
