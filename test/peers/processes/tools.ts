import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What was already named. */
const missing = new Set<string>();

/**
 * Whether tests that need something of the machine can run here. On a build server (CI) they have to: a skipped test passes, and what it was to
 * show is shown by nothing.
 */
export function canRun(isThere: boolean, what: string): boolean {
  if (!isThere && !missing.has(what)) process.stderr.write(`skipped here, because it is missing: ${what}\n`);
  if (!isThere) missing.add(what);
  const { CI } = process.env;
  if (!isThere && CI !== undefined && CI !== '' && CI !== 'false') {
    throw new Error(`tests need ${what}, which is missing here, and none may be skipped on a build server`);
  }
  return isThere;
}

/** /proc, and programs such as `prlimit`. */
export const isLinux = () => canRun(process.platform === 'linux', 'Linux');

/** Signals, shells, and processes that outlive the one that started them. */
export const isPosix = () => canRun(process.platform !== 'win32', 'a POSIX system');

/** A network of one's own: user namespaces, and `ip` of iproute2. */
export const hasNetworkNamespaces = () =>
  canRun(
    spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status === 0,
    '`unshare -rn` and `ip` (packages util-linux and iproute2; user namespaces must be allowed)',
  );

/** A host name of one's own, as on another machine. */
export const hasHostNames = () =>
  canRun(
    spawnSync('unshare', ['-ru', 'hostname', 'elsewhere']).status === 0,
    '`unshare -ru` and `hostname` (packages util-linux and hostname; user namespaces must be allowed)',
  );

/** Process ids of one's own, as in a container. */
export const hasProcessNamespaces = () =>
  canRun(
    spawnSync('unshare', ['-rpf', '--mount-proc', 'true']).status === 0,
    '`unshare -rpf --mount-proc` (package util-linux; user namespaces must be allowed)',
  );

/** A mount namespace, in which a test has displays of its own, and an X server. */
export const hasVirtualDesktop = () =>
  canRun(
    existsSync('/usr/bin/Xvfb') && spawnSync('unshare', ['-rm', 'true']).status === 0,
    '/usr/bin/Xvfb and `unshare -rm` (packages xvfb and util-linux; user namespaces must be allowed)',
  );

/** The programs of Redis, or with `TEST_REDIS=valkey` those of Valkey. */
export const redisProgram = (what: 'server' | 'sentinel') => `${process.env.TEST_REDIS ?? 'redis'}-${what}`;

/** Servers that tests start, and a way to end them with the test. */
export const hasRedis = () =>
  canRun(
    [redisProgram('server'), redisProgram('sentinel'), 'setpriv'].every(
      (name) => spawnSync(name, ['--version']).status === 0,
    ),
    'redis-server, redis-sentinel and setpriv (packages redis-server, redis-sentinel and util-linux)',
  );

const areThere = (...names: readonly string[]) => names.every((name) => existsSync(`/usr/bin/${name}`));

/** A D-Bus session of the test's own, with GNOME's keyring in it. */
export const hasDesktopKeyring = () =>
  canRun(
    areThere('gnome-keyring-daemon', 'secret-tool', 'dbus-daemon', 'busctl', 'gdbus'),
    'gnome-keyring-daemon, secret-tool, dbus-daemon, busctl and gdbus in /usr/bin (packages gnome-keyring, libsecret-tools, dbus, systemd, libglib2.0-bin)',
  );

/** A password store, and the program that Docker asks for what is in it. */
export const hasPass = () =>
  canRun(
    areThere('pass', 'gpg', 'docker-credential-pass', 'docker-credential-secretservice'),
    'pass, gpg, docker-credential-pass and docker-credential-secretservice in /usr/bin (packages pass, gnupg, golang-docker-credential-helpers)',
  );

const isRoot = () => process.getuid?.() === 0;

/** Root, or a `sudo` that asks nobody. */
export const hasRoot = () =>
  canRun(isRoot() || spawnSync('sudo', ['-n', 'true']).status === 0, 'root, or sudo without a password');

/** Runs a program as root, where `hasRoot`. */
export function asRoot(command: string, ...args: readonly string[]): void {
  if (isRoot()) execFileSync(command, args);
  else execFileSync('sudo', ['-n', command, ...args]);
}
