import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser, type FakeBrowser } from '../peers/browsers/browser.ts';
import { visit } from '../peers/browsers/browser-visit.ts';
import { type PeerMcpServer, startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../peers/processes/home.ts';
import { desktopSession } from './desktop.ts';
import { ModelServer } from './model/model-server.ts';
import type { HostProfile } from './profiles.ts';
import { createRecorder, type Recording, readRecordings, startOf } from './recording.ts';
import { Wish, type WishOptions } from './wish.ts';

export interface StageOptions {
  readonly profile: HostProfile;
  /** How the host is started. */
  readonly launch: readonly string[];
  /** The built program. */
  readonly program: string;
  readonly display: string;
  /** The id of the host for `install`, which writes the server's entry then, in place of the stage. */
  readonly installId?: string;
}

/** A host that was started for one prompt. */
export interface HostRun {
  readonly wish: Wish;
  readonly startedAt: number;
  readonly child: ChildProcess;
  /** Resolves with the time of its exit. */
  readonly exited: Promise<number>;
}

/** When the tab was opened, and when it showed that the sign-in is done. */
export interface Visit {
  readonly openedAt: number;
  readonly doneAt: number;
  readonly status: number;
}

/** A host that runs longer after its model's turn has ended, or without having been able to begin one, is ended. */
const HOST_MS = 240_000;

/** A clean home folder in a desktop session, a protected MCP server, and a model: where one cell is played. */
export class Stage implements AsyncDisposable {
  readonly profile: HostProfile;
  readonly home: TemporaryHome;
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;
  readonly browser: FakeBrowser;
  /** The environment that a host is started with, unless a cell says otherwise. */
  readonly env: Readonly<Record<string, string>>;
  readonly #options: StageOptions;
  readonly #model: ModelServer;
  readonly #recorder: string;
  readonly #wishes: Wish[] = [];
  readonly #runs: HostRun[] = [];

  private constructor(
    options: StageOptions,
    parts: Pick<Stage, 'home' | 'authority' | 'server' | 'browser' | 'env'>,
    recorder: string,
  ) {
    this.#options = options;
    this.profile = options.profile;
    ({
      home: this.home,
      authority: this.authority,
      server: this.server,
      browser: this.browser,
      env: this.env,
    } = parts);
    this.#recorder = recorder;
    this.#model = new ModelServer(async (asked) => {
      const wish = this.#wishes.find(({ mark }) => asked.text.includes(mark));
      return wish?.decide(asked) ?? { kind: 'words', words: 'ok' };
    });
  }

  static async create(options: StageOptions, isProtected = true): Promise<Stage> {
    const home = await createTemporaryHome();
    const authority = await startAuthorizationServer();
    const server = await startMcpServer(isProtected ? { authority } : {});
    const browser = await createFakeBrowser(home.folder, 'ignore');
    const env = await desktopSession(home.folder, options.display, browser);
    const folder = join(home.folder, 'evidence');
    await mkdir(folder);
    const recorder = await createRecorder(folder);
    const stage = new Stage(options, { home, authority, server, browser, env }, recorder);
    await stage.#model.start();
    return stage;
  }

  /** The built program. */
  get program(): string {
    return this.#options.program;
  }

  /** Starts the host with one prompt. `env` takes the place of the desktop session's. */
  async start(options: WishOptions = {}, env: Readonly<Record<string, string>> = this.env): Promise<HostRun> {
    const wish = new Wish(this.profile, options);
    this.#wishes.push(wish);
    const home = this.home.folder;
    const settings = this.profile.configure({
      home,
      model: this.#model.origin,
      command: process.execPath,
      args: ['--require', this.#recorder, this.#options.program, this.server.url],
      prompt: wish.prompt,
    });
    const { installId } = this.#options;
    for (const [name, text] of Object.entries(settings.files)) {
      await mkdir(dirname(join(home, name)), { recursive: true });
      await writeFile(join(home, name), installId === undefined ? text : withoutServer(text));
    }
    if (installId !== undefined) await this.#install(installId, { ...env, ...settings.env });
    await mkdir(join(home, 'project'), { recursive: true });
    const given = installId === undefined ? settings.args : settings.args.filter(isOfNoFile);
    const [command = '', ...args] = [...this.#options.launch, ...given];
    const startedAt = Date.now();
    const child = spawn(command, args, {
      cwd: join(home, 'project'),
      env: { ...env, ...settings.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = createWriteStream(join(dirname(this.#recorder), `host-${this.#runs.length + 1}.log`));
    child.stdout?.pipe(said, { end: false });
    child.stderr?.pipe(said, { end: false });
    const timer = setTimeout(() => child.kill('SIGKILL'), HOST_MS);
    const exited = once(child, 'exit').then(() => {
      clearTimeout(timer);
      return Date.now();
    });
    const run = { wish, startedAt, child, exited };
    this.#runs.push(run);
    return run;
  }

  /** The built program writes the entry `world`; a host with a command of its own is found on the path. */
  async #install(id: string, env: Readonly<Record<string, string>>): Promise<void> {
    const bin = join(this.home.folder, 'bin');
    const launcher = join(bin, this.profile.name);
    const words = this.#options.launch.map((word) => `'${word}'`).join(' ');
    await mkdir(bin, { recursive: true });
    await writeFile(launcher, `#!/bin/sh\nexec ${words} "$@"\n`);
    await chmod(launcher, 0o755);
    // Only an address of this machine may be plain http.
    const url = this.server.url.replace('127.0.0.1', 'localhost');
    const argv = [this.#options.program, 'install', url, '--host', id, '--name', 'world'];
    await promisify(execFile)(process.execPath, argv, { env: { ...env, PATH: `${bin}:${env.PATH}` } });
  }

  /** Seconds from the host's start to the call's arrival at the MCP server. */
  calledAfter({ wish, startedAt }: HostRun, number = 0): number | undefined {
    const call = this.server.requests.entries.find(({ body }) => wish.isCall(number, body));
    return call && (call.at - startedAt) / 1000;
  }

  /** The person sees the tab of this number (from 1) and answers after so many seconds; undefined when none is opened. */
  async answerTab(afterSeconds: number, number = 1): Promise<Visit | undefined> {
    const opened = await this.browser.waitForOpened(number, HOST_MS).catch(() => undefined);
    const tab = opened?.[number - 1];
    if (tab === undefined) return undefined;
    await delay(afterSeconds * 1000);
    const { status } = await visit(tab.address, { answer: 'allow' }).catch(() => ({ status: 0 }));
    return { openedAt: tab.at, doneAt: Date.now(), status };
  }

  recordings(): Promise<readonly Recording[]> {
    return readRecordings(this.#recorder);
  }

  /** The bridges that still run. */
  async bridgesAlive(): Promise<readonly number[]> {
    const pids = (await this.recordings())
      .map(startOf)
      .filter(({ argv }) => !argv.includes('__sign-in'))
      .map(({ pid }) => pid);
    return pids.filter(isAlive);
  }

  /** Puts what was recorded into a folder: messages, stderr, what the model was asked and what the host said. */
  async keepEvidence(folder: string): Promise<void> {
    await cp(dirname(this.#recorder), folder, { recursive: true });
    const exchanges = this.#model.exchanges.entries.map(({ at, asked: { tools }, turn }) =>
      JSON.stringify({ at, tools: tools.map(({ name }) => name), turn }),
    );
    await writeFile(join(folder, 'model.jsonl'), `${exchanges.join('\n')}\n`);
    const requests = this.server.requests.entries.map(({ at, method, body }) =>
      JSON.stringify({ at, method, body: body.slice(0, 300) }),
    );
    await writeFile(join(folder, 'server.jsonl'), `${requests.join('\n')}\n`);
    const tabs = this.browser.records.entries.map((tab) => JSON.stringify(tab));
    await writeFile(join(folder, 'tabs.jsonl'), `${tabs.join('\n')}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#runs) child.kill('SIGKILL');
    await this.home.reap();
    await this.browser.close();
    await this.server.close();
    await this.authority.close();
    await this.#model[Symbol.asyncDispose]();
    await this.home.close();
  }
}

/** The host's settings without the entry of our server, for JSON and for Codex's TOML. */
function withoutServer(text: string): string {
  if (!text.startsWith('{')) return text.replace(/\[mcp_servers\.world\][\s\S]*$/, '');
  const settings = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>;
  for (const key of ['mcpServers', 'mcp']) delete settings[key]?.world;
  return JSON.stringify(settings, null, 2);
}

/** Claude Code is told of another file than the person's by its arguments. */
function isOfNoFile(argument: string): boolean {
  return !/^--(strict-)?mcp-config$|\/mcp\.json$/.test(argument);
}

/** One that has exited, and was left to be reaped by nobody in particular, has no command line any more. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}
