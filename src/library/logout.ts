import { logout } from '../commands/logout.ts';
import { revoker } from '../compose/server-challenge.ts';
import { silentLogger } from '../platform/log/logger.ts';
import type { LoginParts } from './open.ts';

/** Revokes the login at its authorization server and removes it. */
export async function logoutOf(
  { config, key, platform, shared }: LoginParts,
  signal: AbortSignal,
): Promise<boolean> {
  const others = async (own: string) =>
    (await shared.overview(platform.clock.now())).flatMap((each) =>
      each.key !== own && each.found.kind === 'record' ? [each.found.record] : [],
    );
  const revoke = revoker(config, platform, signal);
  return logout({ store: shared.store, keys: [key], others, revoke, logger: silentLogger, signal });
}
