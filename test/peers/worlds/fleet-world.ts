import { randomBytes } from 'node:crypto';
import { CredentialAuthorization } from '../../../src/auth/credential/credential-authorization.ts';
import {
  type RefreshOutcome,
  refreshCredential,
  type SendRefreshRequest,
} from '../../../src/auth/refresh/refresh-credential.ts';
import { createRefreshRequest } from '../../../src/auth/refresh/refresh-request.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { Leases } from '../../../src/store/lease/lease.ts';
import type { NewRecord } from '../../../src/store/record/record.ts';
import type { LoadSecrets } from '../../../src/store/sealing/envelope.ts';
import { openSharedStore } from '../../../src/store/shared/open-shared-store.ts';
import { systemOwnership } from '../../../src/store/shared/ownership.ts';
import { TIMING, type Timing } from '../../../src/store/shared/protocol/timing.ts';
import type { SharedStore } from '../../../src/store/shared/shared-store.ts';
import { RotatingEndpoint } from '../authorization-servers/rotating-endpoint.ts';
import { expiredLogin } from '../processes/credentials.ts';
import { type MemoryEngine, MemoryServer } from '../store/memory-engine.ts';

export const KEY = 'ef'.repeat(32);
export const PREFIX = 'test';
const HOUR = 3_600_000;

export interface InstanceOptions {
  /** How far the machine's clock is ahead of the engine's. */
  readonly aheadMs?: number;
  /** Of its keys; a function says which they are by now. */
  readonly secrets?: readonly Uint8Array[] | LoadSecrets;
  /** Its process is on another machine, so that the others cannot look it up. */
  readonly elsewhere?: boolean;
  /** Waits of the protocol that are other than the program's. */
  readonly timing?: Partial<Timing>;
}

type Opened = ReturnType<typeof openSharedStore>;

/** One machine with a bridge: a connection to the engine, the real store and the real authorization code. */
export interface Instance {
  readonly engine: MemoryEngine;
  readonly store: SharedStore;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly authorization: CredentialAuthorization;
  /** Its process was suspended for so long. */
  skip(ms: number): void;
  /** The machine slept for so long, and its monotonic clock stood still. */
  sleep(ms: number): void;
  /** As a bridge does after a 401 for this token. */
  refresh(staleToken: string, signal?: AbortSignal): Promise<RefreshOutcome>;
  overview: Opened['overview'];
  reseal: Opened['reseal'];
}

/** A strict authorization server, the engine of a shared store, and machines that share one login on it. */
export class FleetWorld implements AsyncDisposable {
  readonly endpoint: RotatingEndpoint;
  readonly server: MemoryServer;
  readonly secret: Uint8Array = new Uint8Array(randomBytes(32));
  #engineAheadMs = 0;
  readonly #instances: Instance[] = [];

  private constructor(endpoint: RotatingEndpoint) {
    this.endpoint = endpoint;
    this.server = new MemoryServer(() => systemClock.now() + this.#engineAheadMs);
  }

  static async create(): Promise<FleetWorld> {
    return new FleetWorld(await RotatingEndpoint.start());
  }

  /** The engine's clock goes on by so much. */
  pass(ms: number): void {
    this.#engineAheadMs += ms;
  }

  get posts(): number {
    return this.endpoint.posts.entries.length;
  }

  async instance(options: InstanceOptions = {}): Promise<Instance> {
    const { aheadMs = 0, secrets = [this.secret] } = options;
    let skippedMs = 0;
    let sleptMs = 0;
    const clock: Clock = {
      ...systemClock,
      now: () => systemClock.now() + aheadMs + skippedMs + sleptMs,
      monotonic: () => systemClock.monotonic() + skippedMs,
      uptime: () => systemClock.uptime() + skippedMs + sleptMs,
    };
    const engine = this.server.connect();
    const here = systemOwnership();
    await here.ready();
    const ownership =
      options.elsewhere === true
        ? { ...here, owner: { ...here.owner, bootId: `boot-${this.#instances.length}` } }
        : here;
    const { store, leases, overview, reseal } = openSharedStore({
      engine,
      secrets: typeof secrets === 'function' ? secrets : async () => secrets,
      prefix: PREFIX,
      clock,
      random: systemRandom,
      logger: silentLogger,
      ownership,
      timing: { ...TIMING, ...options.timing },
    });
    const server = new URL('/mcp', this.endpoint.address);
    const identity = { server: server.href };
    const deps = { store, key: KEY, identity, clock, random: systemRandom, logger: silentLogger };
    const sendRefreshRequest: SendRefreshRequest = createRefreshRequest({
      settings: oauthDefaults,
      server,
      allowHttp: false,
      clock,
      createHttp: (allowAddress) => createHttp({ env: {}, allowAddress }),
    });
    const refresh = (stale: { token: string | undefined; refused: boolean }, signal: AbortSignal) =>
      refreshCredential({ ...deps, sendRefreshRequest }, stale, signal);
    const authorization = new CredentialAuthorization({
      ...deps,
      proofMemory: new Map(),
      closeStore: () => store.close(),
      replaceToken: (stale, _challenge, signal) =>
        refresh({ token: stale.token, refused: stale.refused }, signal),
    });
    const instance: Instance = {
      engine,
      store,
      leases,
      clock,
      authorization,
      overview,
      reseal,
      skip: (ms) => {
        skippedMs += ms;
      },
      sleep: (ms) => {
        sleptMs += ms;
      },
      refresh: (token, signal = new AbortController().signal) => refresh({ token, refused: true }, signal),
    };
    this.#instances.push(instance);
    return instance;
  }

  async instances(count: number, options: InstanceOptions = {}): Promise<Instance[]> {
    const made: Instance[] = [];
    for (let n = 0; n < count; n++) made.push(await this.instance(options));
    return made;
  }

  /** A login with the token A0, by the clock of this machine; unless told otherwise it is good for an hour. */
  login(by: Pick<Instance, 'clock'>, tokens: Partial<NewRecord['tokens']> = {}): NewRecord {
    const login = expiredLogin(this.endpoint.address, 'R0');
    if (login.tokens === undefined) throw new Error('no tokens');
    const now = by.clock.now();
    const times = { obtainedAt: now, expiresAt: now + HOUR };
    return { ...login, tokens: { ...login.tokens, ...times, ...tokens } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.intercept = async () => {};
    this.server.isUp = true;
    for (const { authorization, engine } of this.#instances) {
      engine.isCut = false;
      await authorization.close();
    }
    await this.endpoint[Symbol.asyncDispose]();
  }
}

/** The access token of an outcome. */
export function tokenOf(outcome: RefreshOutcome): string | undefined {
  return outcome.kind === 'usable' ? outcome.record.tokens?.accessToken : outcome.kind;
}
