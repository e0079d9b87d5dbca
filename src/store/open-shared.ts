import { type Clock, systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import { type Random, systemRandom } from '../platform/random.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import { openLeases } from './lease/lease.ts';
import type { Shared, StoreChoice } from './logins.ts';
import { openStore } from './open-store.ts';
import type { CredentialOverview } from './port/overview.ts';

export type { Shared, StoreChoice } from './logins.ts';

export interface SharedSettings {
  /** MCP_DRAWBRIDGE_HOME. */
  readonly home: string | undefined;
  readonly store: StoreChoice;
  /** `--keychain`: files are sealed under a key in it. */
  readonly keychain?: string | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** By default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens the logins; only this function knows whether they are files, in memory, or on an engine. Rejects with StoreInsecureError for folders that another user
 * could change. Succeeds even while the engine is away.
 */
export async function openShared(settings: SharedSettings): Promise<Shared> {
  const { store: choice, home, keychain, logger, clock, random } = settings;
  if (choice.kind === 'shared') {
    const { openOnEngine } = await import('./open-on-engine.ts');
    const { env = process.env } = settings;
    return openOnEngine(choice, { env, logger, clock: clock ?? systemClock, random: random ?? systemRandom });
  }
  const memory = choice.kind === 'memory';
  const store = await openStore({
    home,
    memory,
    keychain,
    logger,
    ...withoutUndefined({ clock, random }),
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

/** Reads the logins without opening them: creates no folder. */
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
