import { randomBytes } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser, type FakeBrowser } from '../../peers/browsers/browser.ts';
import { type KillPlan, KillPlans, type PlanFile } from '../../peers/faults/kill-plan.ts';
import { type CommandEnd, runProgram } from '../../peers/hosts/command.ts';
import { PROGRAM } from '../../peers/hosts/host.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { Instance } from '../instance.ts';
import type { StartOptions } from '../world.ts';
import { elsewhere } from './elsewhere.ts';

export interface FleetOptions extends AuthorizationServerOptions {
  /** What `--store` names. */
  readonly url: string;
  /** Where the program connects to for it. */
  readonly enginePorts: readonly number[];
  readonly homes?: number;
  /** Each home is a machine of its own, whose process ids say nothing to the others. */
  readonly apart?: boolean;
}

export interface FleetStart extends StartOptions {
  /** Which of the homes; in turn where absent. */
  readonly home?: number;
  /** Another way to the engine, such as a proxy's. */
  readonly url?: string;
}

/** Several homes with the same login on one engine; one authorization server, one protected server, and a copy of the built program. */
export class FleetWorld implements AsyncDisposable {
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;
  readonly browser: FakeBrowser;
  readonly keyFile: string;
  readonly #options: FleetOptions;
  readonly #homes: readonly TemporaryHome[];
  readonly #plans: KillPlans;
  readonly #program: string;
  /** A preload for each home, where they are apart. */
  readonly #machines: readonly string[];
  readonly #instances = new Set<Instance>();
  #started = 0;
  /** Commands that were to open a browser. */
  signIns = 0;

  private constructor(
    options: FleetOptions,
    parts: Pick<FleetWorld, 'authority' | 'server' | 'browser' | 'keyFile'>,
    own: { homes: readonly TemporaryHome[]; plans: KillPlans; program: string; machines: readonly string[] },
  ) {
    this.#options = options;
    this.authority = parts.authority;
    this.server = parts.server;
    this.browser = parts.browser;
    this.keyFile = parts.keyFile;
    this.#homes = own.homes;
    this.#plans = own.plans;
    this.#program = own.program;
    this.#machines = own.machines;
  }

  static async create(options: FleetOptions): Promise<FleetWorld> {
    const homes = await Promise.all(Array.from({ length: options.homes ?? 4 }, createTemporaryHome));
    const [first] = homes;
    if (first === undefined) throw new Error('a fleet has homes');
    const authority = await startAuthorizationServer(options);
    const program = join(first.folder, 'program');
    await cp(dirname(PROGRAM), program, { recursive: true });
    const plans = join(first.folder, 'plans');
    await mkdir(plans);
    const keyFile = join(first.folder, 'store.key');
    await writeFile(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const machines =
      options.apart === true ? await Promise.all(homes.map(({ folder }) => elsewhere(folder))) : [];
    const parts = {
      authority,
      keyFile,
      browser: await createFakeBrowser(first.folder, 'follow'),
      server: await startMcpServer({ authority, stateful: false, json: true }),
    };
    const own = {
      homes,
      machines,
      plans: await KillPlans.create(plans),
      program: join(program, 'launch.cjs'),
    };
    return new FleetWorld(options, parts, own);
  }

  /** Of the first home. */
  get folder(): string {
    return this.#homes[0]?.folder ?? '';
  }

  get instances(): readonly Instance[] {
    return [...this.#instances];
  }

  /** The program as a host starts it. Its requests carry its number. */
  start(options: FleetStart = {}): Instance {
    const number = ++this.#started;
    const { args = [], plan, nodeArgs = [], env = {}, url, home: wanted = number } = options;
    const at = wanted % this.#homes.length;
    const machine = this.#machines[at];
    const host = startRawHost(
      [this.server.url, '--header', `X-Instance: ${number}`, ...this.#store(url), ...args],
      {
        env: this.#env(at, env),
        program: this.#program,
        nodeArgs: [
          ...(machine === undefined ? [] : ['--require', machine]),
          ...(plan === undefined ? [] : ['--require', plan.preload]),
          ...nodeArgs,
        ],
      },
    );
    const instance = new Instance(number, host, plan);
    this.#instances.add(instance);
    return instance;
  }

  /** A command of the program in the first home, to its end. */
  command(
    words: readonly string[],
    { url, home = 0 }: { url?: string; home?: number } = {},
  ): Promise<CommandEnd> {
    return runProgram([...words, ...this.#store(url)], this.#env(home, {}), '', this.#program);
  }

  async signIn(profile = 'default'): Promise<void> {
    this.signIns++;
    const { code, stderr } = await this.command(['login', this.server.url, '--profile', profile]);
    if (code !== 0) throw new Error(`no login: ${stderr}`);
  }

  async logOut(profile = 'default'): Promise<void> {
    const { code, stderr } = await this.command(['logout', this.server.url, '--profile', profile]);
    if (code !== 0) throw new Error(`no logout: ${stderr}`);
  }

  plan(
    at: number,
    part: Partial<Pick<KillPlan, 'step' | 'sparing' | 'signal' | 'ports' | 'engine'>> = {},
  ): Promise<PlanFile> {
    const ports = [Number(new URL(this.authority.issuer).port)];
    return this.#plans.add({
      role: 'bridge',
      folder: '/',
      at,
      ports,
      engine: this.#options.enginePorts,
      ...part,
    });
  }

  async end(instance: Instance): Promise<void> {
    this.#instances.delete(instance);
    await instance.host.close();
  }

  #store(url = this.#options.url): readonly string[] {
    return ['--store', url, '--store-key-file', this.keyFile];
  }

  #env(at: number, extra: Readonly<Record<string, string>>): Record<string, string> {
    const home = this.#homes[at];
    if (home === undefined) throw new Error(`no home ${at}`);
    return home.env({ BROWSER: this.browser.command, ...extra });
  }

  /** Nothing is set aside in an engine. */
  async corruptRecords(): Promise<number> {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#instances].map(({ host }) => host.close()));
    await Promise.all(this.#homes.map((home) => home.reap()));
    await this.server.close();
    await this.authority.close();
    await this.browser.close();
    await Promise.all(this.#homes.map((home) => home.close()));
  }
}
