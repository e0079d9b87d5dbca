import type { Leases } from './lease/lease.ts';
import type { CredentialOverview } from './port/overview.ts';
import type { Store } from './port/store.ts';
import type { LoadSecrets } from './sealing/envelope.ts';
import type { EngineDescription } from './shared/engine.ts';
import type { Resealed } from './shared/reseal.ts';

/** Where logins are kept. */
export type StoreChoice =
  /** In a folder of this machine. */
  | { readonly kind: 'file' }
  /** In this process; the disk is neither read nor written. */
  | { readonly kind: 'memory' }
  /** On an engine shared by many machines. */
  | {
      readonly kind: 'shared';
      /** As `parseStoreUrl` reads it; may contain a password. */
      readonly url: string;
      /** The prefix of all names on the engine. */
      readonly prefix: string;
      readonly secrets: LoadSecrets;
    };

/** The logins that processes share, wherever they are. */
export interface Shared {
  readonly store: Store;
  readonly leases: Leases;
  /** Every credential, including those of sign-ins under way. Changes nothing. `now`: milliseconds since the epoch. */
  overview(now: number): Promise<readonly CredentialOverview[]>;
  /** The keys of all that may hold tokens. */
  storedKeys(): Promise<readonly string[]>;
  /** Seals every login under the first key; absent where a store has no such keys. Rejects with StoreAwayError, UnknownKeyError. */
  reseal?(): Promise<Resealed>;
  /** What the engine reports about itself; undefined without an engine. Rejects with StoreAwayError. */
  describe(): Promise<EngineDescription | undefined>;
  /** Stores pending changes, for at most the store's grace period, and closes the connections. */
  close(): Promise<void>;
}
