import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

/** A display answers at once, or has ended and left its socket behind. */
const ANSWER_MS = 500;

/** The names of the sockets in this folder that belong to this user and have a listener, lowest number first. */
export async function ownSockets(folder: string, name: RegExp, user: number): Promise<readonly string[]> {
  if (!(await isSafeFolder(folder, user))) return [];
  const names = (await readdir(folder).catch(() => [])).filter((each) => name.test(each));
  const own = await Promise.all(names.map((each) => isLiveSocket(join(folder, each), [user])));
  return names.filter((_, at) => own[at]).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Whether this is a socket of one of these users, not a link, with a listener. Sends nothing. */
export async function isLiveSocket(path: string, owners: readonly number[]): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined || !stats.isSocket() || !owners.includes(stats.uid)) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (isLive: boolean) => {
      socket.destroy();
      resolve(isLive);
    };
    socket.setTimeout(ANSWER_MS, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/**
 * The address of the D-Bus session that listens in this user's runtime folder, where systemd starts it (dbus-daemon and dbus-broker); undefined if none does.
 */
export async function liveBus(folder: string, user: number): Promise<string | undefined> {
  const path = join(folder, 'bus');
  const isOurs = (await isSafeFolder(folder, user)) && (await isLiveSocket(path, [user]));
  return isOurs ? `unix:path=${path.replace(NOT_PLAIN, escapedByte)}` : undefined;
}

/** D-Bus specification, server addresses: characters to escape in a value. */
const NOT_PLAIN = /[^-0-9A-Za-z_/.*]/gu;

function escapedByte(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '%$&');
}

/** Whether only this user and root can replace files in this folder. */
export async function isSafeFolder(path: string, user: number): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined || !stats.isDirectory() || (stats.uid !== user && stats.uid !== 0)) return false;
  // chmod(2), S_ISVTX: in such a folder others can add files, but cannot rename or remove ours.
  return (stats.mode & 0o022) === 0 || (stats.mode & 0o1000) !== 0;
}

/** The newest of these files that belongs to this user, is not a link and is writable by no one else. */
export async function newestOwnFile(paths: readonly string[], user: number): Promise<string | undefined> {
  const found = await Promise.all(paths.map(async (path) => ({ path, stats: await statsOf(path) })));
  const own = found.flatMap(({ path, stats }) =>
    stats?.isFile() && stats.uid === user && (stats.mode & 0o022) === 0 ? [{ path, at: stats.mtimeMs }] : [],
  );
  return own.sort((a, b) => b.at - a.at)[0]?.path;
}

function statsOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}
