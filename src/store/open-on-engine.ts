import type { Clock } from '../platform/clock.ts';
import { systemDial } from '../platform/dial.ts';
import type { Logger } from '../platform/log/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Shared, StoreChoice } from './logins.ts';
import { openRedisEngine } from './redis/open.ts';
import { openSharedStore } from './shared/open-shared-store.ts';

export interface OnEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Opens the logins on the engine at that address. Rejects with ConfigError for an unusable address; for an unusable key, the store's own calls do. */
export async function openOnEngine(
  { url, prefix, secrets }: Extract<StoreChoice, { kind: 'shared' }>,
  { env, ...tools }: OnEngineOptions,
): Promise<Shared> {
  const engine = openRedisEngine(url, {
    dial: systemDial,
    clock: tools.clock,
    random: tools.random,
    env,
    warn: (text) => tools.logger.warn(text),
  });
  return openSharedStore({ ...tools, engine, prefix, secrets });
}
