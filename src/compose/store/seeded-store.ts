import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { Store } from '../../store/port/store.ts';

/**
 * The store, seeded by `seed` before it is first read: in parallel with the start of the bridge, which a keychain that asks its owner, or an engine that is away,
 * must not delay. A failed seed is tried again with the next read.
 */
export function seededStore(store: Store, seed: () => Promise<void>): Store {
  let seeding: Promise<void> | undefined;
  const seeded = () => {
    seeding ??= seed().catch((error: unknown) => {
      seeding = undefined;
      throw error;
    });
    return seeding;
  };
  const { changed, onChange, pace, isShared } = store;
  return {
    writable: store.writable,
    place: store.place,
    ...withoutUndefined({ pace, isShared, changed: changed?.bind(store), onChange: onChange?.bind(store) }),
    read: async (key, identity) => {
      await seeded();
      return store.read(key, identity);
    },
    write: (...written) => store.write(...written),
    remove: (key) => store.remove(key),
    withLock: async (key, run, options) => {
      await seeded();
      return store.withLock(key, run, options);
    },
  };
}
