import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandEnd } from '../peers/hosts/command.ts';
import { PROGRAM } from '../peers/hosts/host.ts';
import { type RawHost, startRawHost } from '../peers/hosts/raw-host.ts';
import { Windows } from './windows.ts';
import { endWindows, NODE, windowsPath } from './wine.ts';

/** Starting takes a second of a processor, and all of them start at once. */
export const PATIENT = { timeoutMs: 60_000 };

/** Where the program, its Node and its home lie. */
const FOLDER = 'Jürgen Groß (zu Hause)';

/** A home on the Windows side and the built program there, run by Windows' Node. */
export class WineWorld implements AsyncDisposable {
  readonly windows: Windows;
  /** This machine's name for the folder in which everything lies. */
  readonly folder: string;
  /** The folder around it, whose path is plain. */
  readonly temporary: string;
  readonly #hosts = new Set<RawHost>();

  private constructor(windows: Windows, temporary: string, folder: string) {
    this.windows = windows;
    this.temporary = temporary;
    this.folder = folder;
  }

  static async create(): Promise<WineWorld> {
    const temporary = await mkdtemp(join(tmpdir(), 'drawbridge-wine-'));
    const own = join(temporary, FOLDER);
    await mkdir(own);
    const built = dirname(PROGRAM);
    await cp(built, join(own, 'program', 'dist'), { recursive: true });
    await cp(join(built, '..', 'package.json'), join(own, 'program', 'package.json'));
    await symlink(NODE, join(own, 'node.exe'));
    return new WineWorld(await Windows.start(temporary), temporary, own);
  }

  get node(): string {
    return windowsPath(join(this.folder, 'node.exe'));
  }

  get program(): string {
    return windowsPath(join(this.folder, 'program', 'dist', 'launch.cjs'));
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  env(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { MCP_DRAWBRIDGE_HOME: windowsPath(this.state), USERPROFILE: windowsPath(this.folder), ...extra };
  }

  /** The program as a Windows host starts it. */
  host(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    nodeArgs: readonly string[] = [],
  ): RawHost {
    const host = startRawHost(args, {
      env: this.env(env),
      program: this.program,
      nodeArgs,
      launch: (argv, env) => this.windows.spawn({ command: this.node, args: argv, env }),
    });
    this.#hosts.add(host);
    return host;
  }

  /** A line as somebody types it into cmd, to its end. The program is there under its name as npm sets it up: as a batch file. */
  async type(line: string, script = 'program\\dist\\launch.cjs'): Promise<CommandEnd> {
    // By way of its own folder, since cmd reads batch files in an old encoding.
    const start = `@"%~dp0node.exe" "%~dp0${script}" %*\r\n`;
    await writeFile(join(this.folder, 'mcp-drawbridge.cmd'), start);
    const child = this.windows.spawn({
      command: 'C:\\windows\\system32\\cmd.exe',
      args: ['/d', '/s', '/c', `"${line}"`],
      env: this.env(),
      cwd: windowsPath(this.folder),
      verbatim: true,
    });
    child.stdin.end();
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => text(stream));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: (await stdout) ?? '', stderr: (await stderr) ?? '' };
  }

  /** The files of the store's credentials. */
  async credentials(): Promise<string[]> {
    return await readdir(join(this.state, 'credentials')).catch(() => []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.close()));
    await this.windows[Symbol.asyncDispose]();
    await endWindows();
    await rm(this.temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
