import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Random } from '../platform/random.ts';
import { StoreError } from './files/store-errors.ts';
import type { Leases } from './lease/lease.ts';
import { openLeases } from './lease/lease.ts';
import { openStore } from './open-store.ts';
import type { CredentialOverview } from './port/overview.ts';
import type { Store } from './port/store.ts';
import type { EngineDescription } from './shared/engine.ts';

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
      /** The secrets that keys are derived from, 32 bytes each: the first one seals, all open. Asked for once. */
      readonly secrets: () => Promise<readonly Uint8Array[]>;
    };

export interface SharedSettings {
  /** MCP_DRAWBRIDGE_HOME. */
  readonly home: string | undefined;
  readonly store: StoreChoice;
  /** `--keychain`: files are sealed under a key in it. */
  readonly keychain?: string | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The logins that processes share, wherever they are. */
export interface Shared {
  readonly store: Store;
  readonly leases: Leases;
  /** Every credential, also those that a person is just signing in for. Changes nothing. `now`: milliseconds since the epoch. */
  overview(now: number): Promise<readonly CredentialOverview[]>;
  /** The keys of all that may hold tokens. */
  storedKeys(): Promise<readonly string[]>;
  /** What the engine says of itself; undefined where there is none. Rejects with StoreAwayError. */
  describe(): Promise<EngineDescription | undefined>;
  /** Puts what is not stored yet, for as long as the store's pace allows, and ends the connections. */
  close(): Promise<void>;
}

/**
 * Opens the logins; nothing else knows whether they are files, in memory, or on an engine. Rejects with StoreInsecureError for folders that another
 * user could change. An engine that is away does not keep it from opening.
 */
export async function openShared(settings: SharedSettings): Promise<Shared> {
  const { store: choice, home, keychain, logger, clock, random } = settings;
  if (choice.kind === 'shared') throw new StoreError('there is no engine for a shared store yet');
  const memory = choice.kind === 'memory';
  const store = await openStore({
    home,
    memory,
    keychain,
    logger,
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  });
  const { folder } = store;
  const leases = store.writable
    ? openLeases(folder)
    : (await import('./lease/memory-leases.ts')).memoryLeases();
  return {
    store,
    leases,
    overview: async (now) => {
      const { readOverview } = await import('./overview.ts');
      return readOverview(folder, openLeases(folder), now);
    },
    storedKeys: async () => {
      const { storedKeys } = await import('./overview.ts');
      return storedKeys(folder);
    },
    describe: async () => undefined,
    close: async () => {},
  };
}

/** Looks at the logins without opening them: of files, no folder is made. */
export async function readShared(
  settings: Pick<SharedSettings, 'home' | 'store' | 'logger'>,
  now: number,
): Promise<readonly CredentialOverview[]> {
  if (settings.store.kind === 'shared') {
    const shared = await openShared(settings);
    try {
      return await shared.overview(now);
    } finally {
      await shared.close();
    }
  }
  const [{ readOverview }, { storePaths }] = await Promise.all([
    import('./overview.ts'),
    import('./files/paths.ts'),
  ]);
  const { credentials } = storePaths(settings.home);
  return readOverview(credentials, openLeases(credentials), now);
}
