import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { runSignIn, type SignInOutcome } from '../../../src/auth/sign-in/run.ts';
import { readSignInRequest } from '../../../src/auth/sign-in-request.ts';
import { composeBridge } from '../../../src/compose/bridge.ts';
import { type CommandResult, runCommand } from '../../../src/compose/commands.ts';
import type { Platform } from '../../../src/compose/platform.ts';
import { composeSignIn } from '../../../src/compose/sign-in.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { createLogSink } from '../../../src/platform/log/sink.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/port/store.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import type { CredentialRecord } from '../../../src/store/record/record.ts';
import { type VisitOptions, visit } from '../browsers/browser-visit.ts';
import { ComposedBridge } from '../hosts/composed-bridge.ts';
import { testPlatform } from '../hosts/test-platform.ts';
import { TemporaryHome } from '../processes/home.ts';

export interface BridgeWorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** What the person at the browser does. */
  readonly browse?: VisitOptions;
  readonly logger?: Logger;
  /** Of another world: this bridge is one more instance of the same user's. */
  readonly home?: TemporaryHome;
}

export interface BridgeWorldParts {
  readonly config: Config;
  readonly bridge: ComposedBridge;
  readonly store: Store;
  /** Every address that a browser was sent to. */
  readonly opened: string[];
  /** The sign-ins that the bridge started, in order. */
  readonly signIns: Promise<SignInOutcome>[];
  readonly home: TemporaryHome;
  readonly ownsHome: boolean;
  readonly stop: AbortController;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A bridge to some server, with the options that a person would give it, and a browser that goes wherever it is sent. */
export class BridgeWorld implements AsyncDisposable {
  readonly config: Config;
  readonly bridge: ComposedBridge;
  readonly store: Store;
  readonly opened: string[];
  /** The sign-ins that the bridge started, in order. */
  readonly signIns: Promise<SignInOutcome>[];
  /** What it keeps its state in, with whoever else has it. */
  readonly home: TemporaryHome;
  readonly #ownsHome: boolean;
  readonly #stop: AbortController;
  readonly #argv: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  protected constructor(parts: BridgeWorldParts) {
    this.config = parts.config;
    this.bridge = parts.bridge;
    this.store = parts.store;
    this.opened = parts.opened;
    this.signIns = parts.signIns;
    this.home = parts.home;
    this.#ownsHome = parts.ownsHome;
    this.#stop = parts.stop;
    this.#argv = parts.argv;
    this.#env = parts.env;
  }

  static async to(
    server: string,
    args: readonly string[] = [],
    options: BridgeWorldOptions = {},
  ): Promise<BridgeWorld> {
    return new BridgeWorld(await BridgeWorld.compose(server, args, options));
  }

  protected static async compose(
    server: string,
    args: readonly string[],
    {
      env: extra = {},
      clock = systemClock,
      browse = {},
      logger = silentLogger,
      home: shared,
    }: BridgeWorldOptions,
  ): Promise<BridgeWorldParts> {
    const home = shared ?? (await TemporaryHome.create());
    const ownsHome = shared === undefined;
    const env = { ...extra, MCP_DRAWBRIDGE_HOME: home.state };
    const argv = [server, ...args];
    const parsed = loadConfig(argv, env, readSettingsFile);
    if (parsed.command !== 'bridge') throw new Error(`the arguments mean ${parsed.command}`);
    const config = { ...parsed.config, wait: true };
    const store = await openStore({ home: home.state, logger });
    const stop = new AbortController();
    const opened: string[] = [];
    const signIns: Promise<SignInOutcome>[] = [];
    const platform: Partial<Platform> = {
      env,
      clock,
      loadBrowser: async () => async (address) => {
        opened.push(address);
        void visit(address, browse).catch(() => 'the listener has closed');
        return { kind: 'opened', command: 'test' };
      },
      // In this process, as the sign-in process composes it.
      launch: async ({ stdin }) => {
        const child = testPlatform(platform);
        const { compose } = await composeSignIn(child, stop.signal);
        const request = readSignInRequest(stdin);
        const { deps } = await compose(request);
        const outcome = runSignIn(request, deps, stop.signal);
        outcome.catch(() => 'the test looks at it');
        signIns.push(outcome);
        await Promise.race([once(child.stdout, 'data'), outcome.catch(() => undefined)]);
        return { kind: 'ready' };
      },
    };
    const compose = (whole: Platform, onHostGone: () => void) =>
      composeBridge(config, whole, logger, onHostGone);
    const bridge = (await ComposedBridge.start(compose, platform)).read();
    return { config, bridge, store, opened, signIns, home, ownsHome, stop, argv, env };
  }

  /**
   * As a host does that writes without waiting: initialize, and the list of tools. A list that came after a sign-in had failed, where the stand-in
   * had answered `initialize` in time, would begin another sign-in, and wait for a person.
   */
  async tools(): Promise<unknown> {
    const [initializeAnswer, { json }] = await Promise.all([
      this.bridge.initialize(),
      this.bridge.request('list', 'tools/list'),
    ]);
    if (initializeAnswer.json.error !== undefined) return initializeAnswer.json.error;
    return json.result?.tools?.map(({ name }: { name: string }) => name) ?? json.error;
  }

  /** The command `logout` with the same options, for this home. */
  async logout(): Promise<CommandResult> {
    const argv = ['logout', ...this.#argv];
    const parsed = loadConfig(argv, this.#env, readSettingsFile);
    if (parsed.command !== 'logout') throw new Error(`the arguments mean ${parsed.command}`);
    // A stream for each: every sink listens to its stream for good.
    const stderr = new PassThrough();
    const log = createLogSink({ format: 'text', debug: false, silent: true, clock: systemClock, stderr });
    return runCommand(parsed, testPlatform(), log, this.#stop.signal);
  }

  async record(): Promise<CredentialRecord | undefined> {
    const read = await this.store.read(keyOf(this.config));
    return read.kind === 'record' ? read.record : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge[Symbol.asyncDispose]();
    this.#stop.abort();
    await Promise.allSettled(this.signIns);
    if (this.#ownsHome) await this.home.close();
  }
}
