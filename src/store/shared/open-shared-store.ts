import type { Clock } from '../../platform/clock.ts';
import { countingSleep } from '../../platform/clock-jump.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import { LaterVersionError, UnknownKeyError } from '../files/store-errors.ts';
import { laterLeases } from '../lease/later-leases.ts';
import type { Leases } from '../lease/lease.ts';
import type { CredentialOverview } from '../port/overview.ts';
import type { LoadSecrets } from '../sealing/envelope.ts';
import { CellCodec } from './cell-codec.ts';
import type { Engine, EngineDescription } from './engine.ts';
import { type Ownership, systemOwnership } from './ownership.ts';
import type { Timing } from './protocol/timing.ts';
import type { Resealed } from './reseal.ts';
import { SharedStore } from './shared-store.ts';

export interface SharedStoreOptions {
  readonly engine: Engine;
  /** Asked for with the first cell. */
  readonly secrets: LoadSecrets;
  /** The prefix of all names on the engine. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** By default this process, as the system describes it. */
  readonly ownership?: Ownership;
  /** By default the waits of the protocol. */
  readonly timing?: Timing;
}

/** A store on an engine, with its leases. Does not contact the engine or request the keys yet; `close` closes the engine. */
export function openSharedStore(options: SharedStoreOptions): {
  readonly store: SharedStore;
  readonly leases: Leases;
  readonly overview: () => Promise<readonly CredentialOverview[]>;
  readonly storedKeys: () => Promise<readonly string[]>;
  readonly reseal: () => Promise<Resealed>;
  readonly describe: () => Promise<EngineDescription>;
  readonly close: () => Promise<void>;
} {
  const { engine, secrets, prefix, ownership = systemOwnership() } = options;
  const codec = new CellCodec(secrets, prefix);
  // What was decided before the machine slept is old afterwards.
  const clock = countingSleep(options.clock);
  const store = new SharedStore({ ...options, clock, codec, ownership });
  const leases = laterLeases(async () => {
    const [{ openSharedLeases }] = await Promise.all([import('./shared-leases.ts'), ownership.ready()]);
    return openSharedLeases({
      ...store.cellDeps,
      ownership,
      offset: () => store.offset,
      onCreated: (key) => store.list(key),
    });
  });
  return {
    store,
    leases,
    overview: async () => {
      const keys = await store.index.keys();
      const all = await Promise.all(keys.map((key) => overviewOf(key, store, leases)));
      return all.filter(({ found, signIn }) => found.kind !== 'absent' || signIn !== undefined);
    },
    storedKeys: () => store.index.keys(),
    reseal: async () => (await import('./reseal.ts')).reseal({ ...store.cellDeps, index: store.index }),
    describe: () => engine.describe(),
    close: () => store.close(),
  };
}

async function overviewOf(key: string, store: SharedStore, leases: Leases): Promise<CredentialOverview> {
  const found = await store.read(key).catch(unreadable);
  // One read answers both.
  const nonce = await leases.holder(key, 0);
  const status = await leases.readStatus(key);
  const isGoingOn = nonce !== undefined && status?.nonce === nonce;
  return {
    key,
    found: found.kind === 'corrupt' ? { kind: 'absent' } : found,
    signIn: isGoingOn ? status : undefined,
    lock: found.kind === 'record' ? await store.holder(key) : undefined,
    ...store.lastLook(key),
  };
}

/** A login that this machine cannot read hides no other. */
function unreadable(error: unknown): Exclude<CredentialOverview['found'], { kind: 'record' | 'moved' }> {
  if (error instanceof UnknownKeyError) return { kind: 'sealed', error };
  if (error instanceof LaterVersionError) return { kind: 'later-version' };
  throw error;
}
