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
  /** On an engine that many machines share. */
  | {
      readonly kind: 'shared';
      /** As `parseStoreUrl` reads it; may hold a password. */
      readonly url: string;
      /** The beginning of all names in the engine. */
      readonly prefix: string;
      readonly secrets: LoadSecrets;
    };

/** The logins that processes share, wherever they are. */
export interface Shared {
  readonly store: Store;
  readonly leases: Leases;
  /** Every credential, also those that a person is just signing in for. Changes nothing. `now`: milliseconds since the epoch. */
  overview(now: number): Promise<readonly CredentialOverview[]>;
  /** The keys of all that may hold tokens. */
  storedKeys(): Promise<readonly string[]>;
  /** Seals every login under the first key; absent where a store has no such keys. Rejects with StoreAwayError, UnknownKeyError. */
  reseal?(): Promise<Resealed>;
  /** What the engine says of itself; undefined where there is none. Rejects with StoreAwayError. */
  describe(): Promise<EngineDescription | undefined>;
  /** Puts what is not stored yet, for as long as the store's pace allows, and ends the connections. */
  close(): Promise<void>;
}
