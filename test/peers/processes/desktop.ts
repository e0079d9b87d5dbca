import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `x11`: an X server that the environment does not name. `none`: no display at all, whatever else runs on the machine. */
export type VirtualDesktop = 'x11' | 'none';

/** Folders of sockets that nobody else sees; then the X server, which says on a pipe when it listens; then the program in place of the shell. */
const SCRIPT = `
set -e
mkdir -p /tmp/.X11-unix /run/user
mount -t tmpfs -o mode=1777 tmpfs /tmp/.X11-unix
mount -t tmpfs tmpfs /run/user
if [ "$1" = x11 ]; then
  pipe=$(mktemp -u)
  mkfifo "$pipe"
  Xvfb -displayfd 3 -nolisten tcp -noreset 3>"$pipe" >/dev/null 2>&1 </dev/null &
  read -r number <"$pipe"
  rm "$pipe"
fi
shift
exec "$@"`;

/**
 * Starts this Node on such a desktop, for `RawHostOptions.launch`. The X server gets the program's environment, so the one that ends the processes
 * of a home ends it too.
 */
export function launchOnDesktop(desktop: VirtualDesktop) {
  return (argv: readonly string[], env: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams =>
    spawn('/usr/bin/unshare', ['-rm', '/bin/sh', '-c', SCRIPT, 'sh', desktop, process.execPath, ...argv], {
      env: { ...env },
      stdio: 'pipe',
    });
}

/** A folder for the search path with an `xdg-open` that hands everything to this command. */
export async function createOpener(parent: string, command: string): Promise<string> {
  const folder = join(parent, 'opener');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'xdg-open');
  await writeFile(file, `#!/bin/sh\nexec ${command} "$@"\n`);
  await chmod(file, 0o755);
  return folder;
}
