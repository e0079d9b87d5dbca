import type { Authorization } from '../../../src/auth/authorization.ts';
import { createInteractiveAuthorization } from '../../../src/auth/credential/interactive-authorization.ts';
import { hasIssuerChanged } from '../../../src/auth/credential/issuer-change.ts';
import type { DpopNonceCache } from '../../../src/auth/dpop/proof.ts';
import { createRefreshRequest } from '../../../src/auth/refresh/refresh-request.ts';
import { runSignIn, type SignInOutcome } from '../../../src/auth/sign-in/run.ts';
import { readSignInRequest } from '../../../src/auth/sign-in-request.ts';
import { type CommandResult, runCommand } from '../../../src/compose/commands.ts';
import { composeMachineAuthorization } from '../../../src/compose/machine.ts';
import type { ProcessParts } from '../../../src/compose/process-parts.ts';
import { signInSettings } from '../../../src/compose/sign-in-settings.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { listenOnLoopback } from '../../../src/platform/http/loopback-listener.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { createLogSink } from '../../../src/platform/log/sink.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import type { CredentialRecord } from '../../../src/store/record/record.ts';
import type { Store } from '../../../src/store/store.ts';
import { type VisitOptions, visit } from '../browsers/browser-visit.ts';
import { type ComposedBridge, composeBridge } from '../hosts/composed-bridge.ts';
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
  readonly authorization: Authorization;
  /** Every address that a browser was sent to. */
  readonly opened: string[];
  readonly outcomes: Promise<SignInOutcome>[];
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
  readonly authorization: Authorization;
  readonly opened: string[];
  readonly outcomes: Promise<SignInOutcome>[];
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
    this.authorization = parts.authorization;
    this.opened = parts.opened;
    this.outcomes = parts.outcomes;
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
    const { config } = parsed;
    const store = await openStore({ home: home.state, logger });
    const leases = openLeases(store.folder);
    const stop = new AbortController();
    const opened: string[] = [];
    const outcomes: Promise<SignInOutcome>[] = [];
    const ports = { store, leases, clock, random: systemRandom, logger };
    const createGuarded = (allowAddress: (address: string, hostname: string) => boolean) =>
      createHttp({ env: {}, allowAddress });
    const proofMemory: DpopNonceCache = new Map();
    const person = createInteractiveAuthorization({
      ...ports,
      key: keyOf(config),
      settings: signInSettings(config),
      proofMemory,
      loadRefreshRequest: async () =>
        createRefreshRequest({
          server: config.server,
          allowHttp: false,
          clock,
          createHttp: createGuarded,
          settings: config.oauth,
          proofMemory,
        }),
      hasIssuerChanged: (...asked) =>
        hasIssuerChanged(
          {
            server: config.server,
            allowHttp: false,
            settings: config.oauth,
            clock,
            logger,
            createHttp: createGuarded,
            headers: config.headers,
          },
          ...asked,
        ),
      launch: async (request) => {
        const platform = {
          ...ports,
          createHttp: createGuarded,
          listen: listenOnLoopback,
          pid: process.pid,
          openBrowser: async (address: string) => {
            opened.push(address);
            void visit(address, browse).catch(() => 'the listener has closed');
            return { kind: 'opened', command: 'test' } as const;
          },
        };
        // By way of JSON, as to a process of its own.
        const copy = readSignInRequest(JSON.stringify(request));
        const outcome = runSignIn(copy, platform, stop.signal);
        outcome.catch(() => 'looked at by the test');
        outcomes.push(outcome);
      },
    });
    const machine = { env: {}, pid: process.pid } as ProcessParts;
    const authorization =
      config.oauth.machineGrant === undefined
        ? person
        : await composeMachineAuthorization(config, keyOf(config), machine, logger);
    const parts = { authorization, wait: true, logger, headers: config.headers };
    const bridge = (await composeBridge(server, parts)).read();
    return { config, bridge, store, authorization, opened, outcomes, home, ownsHome, stop, argv, env };
  }

  /** As a host does: initialize, then the list of tools. */
  async tools(): Promise<unknown> {
    const initializeAnswer = await this.bridge.initialize();
    if (initializeAnswer.json.error !== undefined) return initializeAnswer.json.error;
    const { json } = await this.bridge.request('list', 'tools/list');
    return json.result?.tools?.map(({ name }: { name: string }) => name) ?? json.error;
  }

  /** The command `logout` with the same options, for this home. */
  async logout(): Promise<CommandResult> {
    const argv = ['logout', ...this.#argv];
    const parsed = loadConfig(argv, this.#env, readSettingsFile);
    if (parsed.command !== 'logout') throw new Error(`the arguments mean ${parsed.command}`);
    const log = createLogSink({ format: 'text', debug: false, silent: true, clock: systemClock });
    return runCommand(parsed, { env: {}, pid: process.pid } as ProcessParts, log, this.#stop.signal);
  }

  async record(): Promise<CredentialRecord | undefined> {
    const read = await this.store.read(keyOf(this.config));
    return read.kind === 'record' ? read.record : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge[Symbol.asyncDispose]();
    this.#stop.abort();
    await Promise.allSettled(this.outcomes);
    if (this.#ownsHome) await this.home.close();
  }
}
