import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { FakeBrowser } from '../peers/browsers/browser.ts';

/** As xdg-open: a browser is a window, and a window needs a display that is there. */
const XDG_OPEN = `#!/bin/sh
number=\${DISPLAY##*:}
[ -n "$DISPLAY" ] && [ -S "/tmp/.X11-unix/X\${number%%.*}" ] || exit 3
exec "$(dirname "$0")/browser" "$@"
`;

/** An X server for all cells: Xvfb, with the display that it chose. */
export class Desktop implements AsyncDisposable {
  readonly display: string;
  readonly #server: ChildProcess;

  private constructor(server: ChildProcess, display: string) {
    this.#server = server;
    this.display = display;
  }

  static async start(): Promise<Desktop> {
    const args = ['-displayfd', '3', '-screen', '0', '640x480x8', '-nolisten', 'tcp'];
    const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const failed = once(server, 'error').then(([error]) => {
      throw new Error(`Xvfb cannot be started (${error}): install the package xvfb`);
    });
    const [number] = await Promise.race([once(server.stdio[3] as Readable, 'data'), failed]);
    return new Desktop(server, `:${String(number).trim()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill();
    await once(this.#server, 'exit');
  }
}

/** The environment of a terminal in a person's desktop session; `xdg-open` there opens the browser of the cell. */
export async function desktopSession(
  home: string,
  display: string,
  browser: FakeBrowser,
): Promise<Record<string, string>> {
  const bin = dirname(browser.command);
  await writeFile(join(bin, 'xdg-open'), XDG_OPEN);
  await chmod(join(bin, 'xdg-open'), 0o755);
  await symlink(process.execPath, join(bin, 'node'));
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  await writeFile(join(home, '.Xauthority'), '');
  return {
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    USER: 'person',
    LOGNAME: 'person',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    ...windows(home, display),
  };
}

/** What of the environment leads to the person's screen. */
export function windows(home: string, display: string): Record<string, string> {
  return {
    DISPLAY: display,
    XAUTHORITY: join(home, '.Xauthority'),
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_SESSION_TYPE: 'x11',
    XDG_CURRENT_DESKTOP: 'GNOME',
  };
}
