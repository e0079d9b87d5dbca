import { isAbsolute } from 'node:path';
import type { SessionPlaces } from './find-session.ts';
import { liveBus } from './sockets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The address of this user's D-Bus session: the one in the environment, else the socket that systemd creates, if it belongs to this user and something listens
 * on it. Many hosts withhold both variables. Undefined if there is none. Over SSH too: a bus needs no display.
 */
export async function findSessionBus(
  env: Environment,
  places: Pick<SessionPlaces, 'user' | 'runtimeFolder'>,
): Promise<string | undefined> {
  if (env.DBUS_SESSION_BUS_ADDRESS) return env.DBUS_SESSION_BUS_ADDRESS;
  const named = env.XDG_RUNTIME_DIR ?? '';
  for (const folder of new Set([...(isAbsolute(named) ? [named] : []), places.runtimeFolder])) {
    const bus = await liveBus(folder, places.user);
    if (bus !== undefined) return bus;
  }
  return undefined;
}
