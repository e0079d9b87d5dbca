import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { TemporaryHome } from '../processes/home.ts';

/** It starts nothing by itself: who keeps the secrets is the test's choice, and no window asks for a password. */
const CONFIG = (
  socket: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>`;

const PASSWORD = 'the password of the keyring';

/** A D-Bus session in a home that lasts as long as the test, in which GNOME's keyring can be started and ended. */
export class DesktopKeyring implements AsyncDisposable {
  readonly home: TemporaryHome;
  /** As `/run/user/UID` is: the bus listens there at `bus`. */
  readonly runtimeFolder: string;
  readonly #bus: ChildProcess;
  #keyring: ChildProcess | undefined;

  private constructor(home: TemporaryHome, runtimeFolder: string, bus: ChildProcess) {
    this.home = home;
    this.runtimeFolder = runtimeFolder;
    this.#bus = bus;
  }

  static async start(): Promise<DesktopKeyring> {
    const home = await TemporaryHome.create();
    const runtimeFolder = join(home.folder, 'run');
    await mkdir(runtimeFolder, { mode: 0o700 });
    const config = join(home.folder, 'bus.conf');
    await writeFile(config, CONFIG(join(runtimeFolder, 'bus')));
    const bus = spawn('dbus-daemon', ['--nofork', '--print-address=1', `--config-file=${config}`], {
      env: home.env(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(createInterface(bus.stdout), 'line');
    return new DesktopKeyring(home, runtimeFolder, bus);
  }

  /** What a program in this session finds in its environment. */
  env(): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      HOME: this.home.folder,
      XDG_RUNTIME_DIR: this.runtimeFolder,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.runtimeFolder, 'bus')}`,
    };
  }

  /** Starts the keyring. `locked`: as after a login without a password. What an earlier one has kept is there. */
  async startKeyring(state: 'unlocked' | 'locked'): Promise<void> {
    await this.endKeyring();
    const unlock = state === 'unlocked' ? ['--unlock'] : [];
    const keyring = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...unlock], {
      env: this.env(),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#keyring = keyring;
    keyring.stdin.end(state === 'unlocked' ? PASSWORD : '');
    await this.ready();
  }

  /** Resolves when a keyring has the name on the bus. One that replaces another gets it some time after the command that started it has ended. */
  async ready(): Promise<void> {
    await promisify(execFile)('gdbus', ['wait', '--session', 'org.freedesktop.secrets', '--timeout=30'], {
      env: this.env(),
    });
  }

  async endKeyring(): Promise<void> {
    await ended(this.#keyring, 'SIGTERM');
    this.#keyring = undefined;
  }

  /** Nothing that is asked of it gets an answer until it is resumed. */
  suspendKeyring(): void {
    this.#keyring?.kill('SIGSTOP');
  }

  /** What a person types where a command asks for the password. */
  get password(): string {
    return PASSWORD;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#keyring, 'SIGKILL');
    await ended(this.#bus, 'SIGKILL');
    await this.home.close();
  }
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
