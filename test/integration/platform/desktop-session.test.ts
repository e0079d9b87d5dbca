import { chmod, link, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/platform/desktop/browser.ts';
import { findDesktopSession, type SessionPlaces } from '../../../src/platform/desktop/find-session.ts';
import { readUserEnvironment } from '../../../src/platform/desktop/user-environment.ts';
import type { LaunchRequest } from '../../../src/platform/process/child-process.ts';
import { asRoot, hasRoot, isPosix } from '../../peers/processes/tools.ts';

type Environment = Readonly<Record<string, string>>;

let folder: string;
let runtime: string;
let displays: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'desk-'));
  runtime = join(folder, 'run');
  displays = join(folder, 'x');
  servers = [];
  await mkdir(runtime, { mode: 0o700 });
  await mkdir(displays);
  await chmod(displays, 0o1777);
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A socket that somebody listens on. */
async function listen(path: string): Promise<string> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

/** A socket whose program has ended. */
async function dead(path: string): Promise<void> {
  const live = await listen(`${path}~`);
  await link(live, path);
  await new Promise((resolve) => servers.pop()?.close(resolve));
}

const NOBODY = 65_534;
/** What systemd knows, and whether logind says that this session is remote. */
const places = (known: Environment = {}, isRemote = false): SessionPlaces => ({
  user: process.getuid?.() ?? -1,
  runtimeFolder: runtime,
  displayFolder: displays,
  userEnvironment: async () => known,
  isRemote: async () => isRemote,
});
const codex = { HOME: '/home/x', PATH: '/usr/bin:/bin', TERM: 'xterm', USER: 'x' };
const find = (known?: Environment, env: Environment = codex, isRemote?: boolean) =>
  findDesktopSession(env, places(known, isRemote));
const NONE = { kind: 'none', reason: 'there is no desktop to open a browser on' };

describe.skipIf(!isPosix())('a display that the environment does not name', () => {
  test('none', async () => {
    expect(await find()).toEqual(NONE);
    await rm(runtime, { recursive: true });
    await rm(displays, { recursive: true });
    expect(await find()).toEqual(NONE);
  });

  test('an X server by its socket, the lowest number first', async () => {
    await listen(join(displays, 'X10'));
    await listen(join(displays, 'X2'));
    expect(await find()).toMatchObject({
      kind: 'found',
      variables: { DISPLAY: ':2', XDG_SESSION_TYPE: 'x11', XDG_RUNTIME_DIR: runtime },
    });
  });

  test('Wayland, its bus and the X server beside it', async () => {
    await listen(join(runtime, 'wayland-1'));
    await writeFile(join(runtime, 'wayland-1.lock'), '');
    await listen(join(runtime, 'bus'));
    await listen(join(displays, 'X0'));
    expect(await find()).toEqual({
      kind: 'found',
      variables: {
        WAYLAND_DISPLAY: 'wayland-1',
        DISPLAY: ':0',
        XDG_SESSION_TYPE: 'wayland',
        XDG_RUNTIME_DIR: runtime,
        DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(runtime, 'bus')}`,
        PATH: '/usr/bin:/bin:/usr/local/bin',
      },
    });
  });

  test("systemd's answer wins, with the rest of its session and nothing else of it", async () => {
    await listen(join(displays, 'X0'));
    await listen(join(displays, 'X7'));
    const key = join(folder, 'key');
    await writeFile(key, '', { mode: 0o600 });
    const known = {
      DISPLAY: ':7.0',
      XAUTHORITY: key,
      XDG_CURRENT_DESKTOP: 'KDE',
      XDG_CONFIG_HOME: '/home/x/etc',
      KDE_SESSION_VERSION: '6',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1/bus,guid=0a',
      BROWSER: 'firefox',
      PATH: '/home/x/bin:relative:/usr/bin',
      LD_PRELOAD: '/x.so',
      HTTPS_PROXY: 'http://u:p@proxy',
      NODE_OPTIONS: '--require /x.js',
      HOME: '/home/y',
    };
    expect(await find(known)).toEqual({
      kind: 'found',
      variables: {
        DISPLAY: ':7.0',
        XAUTHORITY: key,
        XDG_CURRENT_DESKTOP: 'KDE',
        XDG_CONFIG_HOME: '/home/x/etc',
        XDG_SESSION_TYPE: 'x11',
        XDG_RUNTIME_DIR: runtime,
        KDE_SESSION_VERSION: '6',
        DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1/bus,guid=0a',
        BROWSER: 'firefox',
        PATH: '/usr/bin:/bin:/home/x/bin:/usr/local/bin',
      },
    });
  });

  test('a display that has ended, though systemd still knows it, does not count; nor does one elsewhere', async () => {
    await dead(join(displays, 'X0'));
    expect(await find({ DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' })).toEqual(NONE);
    expect(await find({ DISPLAY: 'localhost:10.0' })).toEqual(NONE);
    expect(await find({ DISPLAY: ':../run' })).toEqual(NONE);
  });

  test('a link, or a file that is not a socket, is skipped (SECURITY.md, attack 43)', async () => {
    await writeFile(join(displays, 'X0'), '');
    await symlink(await listen(join(folder, 'elsewhere')), join(displays, 'X1'));
    await symlink(join(folder, 'elsewhere'), join(runtime, 'wayland-0'));
    await mkdir(join(displays, 'X2'));
    expect(await find({ DISPLAY: ':1', WAYLAND_DISPLAY: 'wayland-0' })).toEqual(NONE);
  });

  test('a folder in which others can rename our files is not searched; nor is a link to one', async () => {
    await listen(join(displays, 'X0'));
    await listen(join(runtime, 'wayland-0'));
    await chmod(displays, 0o777);
    await chmod(runtime, 0o770);
    expect(await find({ DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' })).toEqual(NONE);
    await chmod(displays, 0o1777);
    await rename(displays, `${displays}~`);
    await symlink(`${displays}~`, displays);
    expect(await find()).toEqual(NONE);
  });

  test.skipIf(!hasRoot())(
    "another user's sockets and folders are not used (SECURITY.md, attack 43)",
    async () => {
      const give = (user: number | undefined, ...paths: readonly string[]) =>
        asRoot('chown', String(user), ...paths);
      const sockets = [await listen(join(displays, 'X0')), await listen(join(runtime, 'wayland-0'))];
      give(NOBODY, ...sockets);
      expect(await find({ DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' })).toEqual(NONE);
      give(process.getuid?.(), ...sockets);
      expect(await find()).toMatchObject({ kind: 'found' });
      give(NOBODY, displays, runtime);
      expect(await find({ DISPLAY: ':0' })).toEqual(NONE);
      give(process.getuid?.(), displays, runtime);
    },
  );

  test('over SSH no display is looked for, whether its variables or logind say so', async () => {
    await listen(join(displays, 'X0'));
    const remote = { kind: 'none', reason: 'this is a session over SSH, and its desktop is elsewhere' };
    expect(await find({}, { ...codex, SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' })).toEqual(remote);
    expect(await find({}, codex, true)).toEqual(remote);
    expect(await find()).toMatchObject({ kind: 'found' });
  });

  test('the key to the display: of the session, newest first, and only if Xlib finds none itself', async () => {
    await listen(join(displays, 'X0'));
    await mkdir(join(runtime, 'gdm'));
    for (const [name, at] of [
      ['gdm/Xauthority', 1],
      ['.mutter-Xwaylandauth.A1B2', 3],
      ['xauth_c3', 2],
    ] as const) {
      await writeFile(join(runtime, name), '', { mode: 0o600 });
      await utimes(join(runtime, name), at, at);
    }
    const HOME = join(folder, 'home');
    await mkdir(HOME);
    const key = async () => {
      const session = await find({}, { ...codex, HOME });
      return session.kind === 'found' ? session.variables.XAUTHORITY : session;
    };
    expect(await key()).toBe(join(runtime, '.mutter-Xwaylandauth.A1B2'));
    await chmod(join(runtime, '.mutter-Xwaylandauth.A1B2'), 0o622);
    expect(await key()).toBe(join(runtime, 'xauth_c3'));
    await writeFile(join(HOME, '.Xauthority'), '', { mode: 0o600 });
    expect(await key()).toBeUndefined();
  });
});

describe.skipIf(!isPosix())('a display that the environment names', () => {
  const DISPLAY = ':3';

  test('is kept, and completed from its own session', async () => {
    const key = join(folder, 'key');
    await writeFile(key, '', { mode: 0o600 });
    const known = { DISPLAY: ':3.0', XAUTHORITY: key, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/b' };
    const given = { ...codex, DISPLAY, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/mine' };
    const session = await find(known, given);
    expect(session).toEqual({
      kind: 'found',
      variables: { XAUTHORITY: key, XDG_RUNTIME_DIR: runtime, PATH: '/usr/bin:/bin:/usr/local/bin' },
    });
  });

  test('gets nothing of another session, also over SSH', async () => {
    const known = { DISPLAY: ':0', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/b' };
    for (const env of [{ DISPLAY }, { DISPLAY: 'localhost:10.0', SSH_CONNECTION: 'x' }]) {
      expect(await find(known, { ...codex, ...env })).toEqual({ kind: 'found', variables: {} });
    }
  });

  test('costs nothing if the whole session is there', async () => {
    const whole = {
      DISPLAY,
      XAUTHORITY: '/k',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/b',
      XDG_RUNTIME_DIR: '/r',
    };
    const unasked: SessionPlaces = { ...places(), userEnvironment: () => Promise.reject(new Error('asked')) };
    expect(await findDesktopSession(whole, unasked)).toEqual({ kind: 'found', variables: {} });
  });
});

describe.skipIf(!isPosix())("systemd's environment of this user", () => {
  const ask = (env: Environment = {}) => readUserEnvironment({ PATH: folder, ...env }, '/run/user/7');
  const systemctl = (script: string) =>
    writeFile(join(folder, 'systemctl'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  test('is requested with the variables that find it, and with no secret', async () => {
    await systemctl('env; echo "ARGS=$*"');
    const known = await ask({ GITHUB_TOKEN: 's3cr3t', HOME: '/home/x' });
    expect(known).toMatchObject({
      ARGS: '--user show-environment',
      XDG_RUNTIME_DIR: '/run/user/7',
      HOME: '/home/x',
    });
    expect(JSON.stringify(known)).not.toContain('s3cr3t');
  });

  test('is not requested with a program of the project that the host was started in', async () => {
    const bin = join(folder, 'node_modules', '.bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'systemctl'), '#!/bin/sh\necho DISPLAY=:9\n', { mode: 0o755 });
    await systemctl('echo DISPLAY=:1');
    expect(await ask({ PATH: `${bin}:${folder}` })).toEqual({ DISPLAY: ':1' });
  });

  test('counts as absent if it hangs, fails, floods or is missing', async () => {
    expect(await readUserEnvironment({ PATH: `${folder}/none`, XDG_RUNTIME_DIR: folder }, undefined)).toEqual(
      {},
    );
    await systemctl('exec sleep 600');
    expect(await ask()).toEqual({});
    await systemctl('echo DISPLAY=:0; exit 1');
    expect(await ask()).toEqual({});
    await systemctl('yes DISPLAY=:0');
    expect(await ask()).toEqual({});
  });
});

test.skipIf(!isPosix())(
  'the opener gets the session that was found, with its BROWSER in the environment but never started',
  async () => {
    await listen(join(displays, 'X4'));
    const known = {
      BROWSER: '/bin/session-browser',
      HTTPS_PROXY: 'http://u:s3cr3t@p',
      XDG_CURRENT_DESKTOP: 'GNOME',
    };
    const started: LaunchRequest[] = [];
    const launch = async (request: LaunchRequest) => {
      started.push(request);
      return { kind: 'exited', code: 0 } as const;
    };
    const open = createBrowser({ HOME: '/home/x', API_KEY: 's3cr3t' }, launch, places(known));
    expect(await open('https://as.example/')).toEqual({ kind: 'opened', command: 'xdg-open' });
    expect(started).toHaveLength(1);
    expect(started[0]?.env).toEqual({
      HOME: '/home/x',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      DISPLAY: ':4',
      BROWSER: '/bin/session-browser',
      XDG_CURRENT_DESKTOP: 'GNOME',
      XDG_SESSION_TYPE: 'x11',
      XDG_RUNTIME_DIR: runtime,
    });
  },
);
