import { cp, lstat, mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runSignIn } from '../../src/auth/sign-in/run.ts';
import { runSignInDeps } from '../../src/compose/sign-in.ts';
import { oauthDefaults } from '../../src/config/oauth-config.ts';
import { silentLogger } from '../../src/platform/log/logger.ts';
import { openLeases, type SignInStatus } from '../../src/store/lease/lease.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { FileStore } from '../../src/store/port/file-store.ts';
import { credentialKey } from '../../src/store/record/key.ts';
import type { CredentialRecord } from '../../src/store/record/record.ts';
import { parseRecord } from '../../src/store/record/record-schema.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../peers/authorization-servers/authorization-server.ts';
import { type BrowserMode, createFakeBrowser, type FakeBrowser } from '../peers/browsers/browser.ts';
import { visit } from '../peers/browsers/browser-visit.ts';
import { type KillPlan, KillPlans, type PlanFile } from '../peers/faults/kill-plan.ts';
import { PROGRAM } from '../peers/hosts/host.ts';
import { startRawHost } from '../peers/hosts/raw-host.ts';
import { testPlatform } from '../peers/hosts/test-platform.ts';
import { type PeerMcpServer, startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../peers/processes/home.ts';
import { Instance } from './instance.ts';

export interface WorldOptions extends AuthorizationServerOptions {
  readonly browser?: BrowserMode;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly plan?: PlanFile;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of another installation. */
  readonly program?: string;
}

/** One machine in small: a home, a browser, a strict authorization server, a protected server, and a copy of the built program. */
export class StormWorld implements AsyncDisposable {
  readonly home: TemporaryHome;
  readonly browser: FakeBrowser;
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;
  readonly plans: KillPlans;
  readonly store: FileStore;
  /** The copy of the built program that it runs. */
  readonly program: string;
  readonly #instances = new Set<Instance>();
  #started = 0;

  private constructor(
    parts: Pick<StormWorld, 'home' | 'browser' | 'authority' | 'server' | 'plans' | 'store'>,
    program: string,
  ) {
    this.home = parts.home;
    this.browser = parts.browser;
    this.authority = parts.authority;
    this.server = parts.server;
    this.plans = parts.plans;
    this.store = parts.store;
    this.program = program;
  }

  static async create({ browser = 'follow', ...options }: WorldOptions = {}): Promise<StormWorld> {
    const home = await createTemporaryHome();
    const authority = await startAuthorizationServer(options);
    // A copy: who builds while this runs does not change what runs.
    const folder = join(home.folder, 'program');
    await cp(dirname(PROGRAM), folder, { recursive: true });
    const plans = join(home.folder, 'plans');
    await mkdir(plans);
    return new StormWorld(
      {
        home,
        authority,
        browser: await createFakeBrowser(home.folder, browser),
        server: await startMcpServer({ authority, stateful: false, json: true }),
        plans: await KillPlans.create(plans),
        store: await openStore({ home: home.state, logger: silentLogger }),
      },
      join(folder, 'launch.cjs'),
    );
  }

  get credentials(): string {
    return join(this.home.state, 'credentials');
  }

  /** The program as a host starts it. Its requests carry its number. */
  start(options: StartOptions = {}): Instance {
    const { args = [], plan, nodeArgs = [], env = {}, program = this.program } = options;
    const number = ++this.#started;
    const host = startRawHost([this.server.url, '--header', `X-Instance: ${number}`, ...args], {
      env: this.home.env({ BROWSER: this.browser.command, ...env }),
      program,
      nodeArgs: [...(plan === undefined ? [] : ['--require', plan.preload]), ...nodeArgs],
    });
    const instance = new Instance(number, host, plan);
    this.#instances.add(instance);
    return instance;
  }

  /** A command of the program, to its end. */
  async command(...args: string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
    const env = this.home.env({ BROWSER: this.browser.command });
    const host = startRawHost([...args, this.server.url], { env, program: this.program });
    const { code } = await host.closed;
    return { code, stderr: host.stderr };
  }

  async end(instance: Instance): Promise<void> {
    this.#instances.delete(instance);
    await instance.host.close();
  }

  plan(
    at: number,
    part: Partial<Pick<KillPlan, 'role' | 'step' | 'sparing' | 'signal'>> = {},
  ): Promise<PlanFile> {
    const { role = 'bridge' } = part;
    const ports = role === 'bridge' ? { ports: [Number(new URL(this.authority.issuer).port)] } : {};
    return this.plans.add({ role, folder: this.credentials, at, ...ports, ...part });
  }

  key(profile = 'default'): string {
    return credentialKey({ server: new URL(this.server.url), grant: 'authorization_code', profile });
  }

  /** A login, as a person makes it; the listener that it needs stays open for two more seconds. */
  async signIn(profile = 'default'): Promise<CredentialRecord> {
    const key = this.key(profile);
    const leases = openLeases(this.store.folder);
    const lease = await leases.create(key, Date.now());
    if (lease.kind !== 'created') throw new Error('a sign-in is going on');
    const request = {
      ...oauthDefaults,
      key,
      nonce: lease.nonce,
      server: this.server.url,
      challenge: { scheme: 'Bearer' },
      allowHttp: false,
      authTimeoutMs: 60_000,
      openBrowser: true,
      debug: false,
    };
    const platform = testPlatform({
      loadBrowser: async () => async (address) => {
        visit(address, { answer: 'allow' }).catch(() => 'the outcome tells');
        return { kind: 'opened', command: 'test' };
      },
    });
    const deps = await runSignInDeps(request, platform, silentLogger, { store: this.store, leases });
    const outcome = await runSignIn(request, deps, new AbortController().signal);
    if (outcome.kind !== 'signed-in') throw new Error('no login', { cause: outcome });
    return outcome.record;
  }

  /** The access token serves no more, by the server's word; by the record's too, where `expired`. */
  async lapse(profile: string, record: CredentialRecord, expired: boolean): Promise<void> {
    this.authority.tokens.revoke(record.tokens?.accessToken ?? '');
    if (expired) await this.expire(profile, record);
  }

  /** The access token is at its end by the record's word; the server still takes it. */
  async expire(profile: string, { version, revision, ...record }: CredentialRecord): Promise<void> {
    if (record.tokens === undefined) throw new Error('a login has tokens');
    const past = { obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() - 1_000 };
    await this.store.write(this.key(profile), { ...record, tokens: { ...record.tokens, ...past } }, 'any');
  }

  async record(profile = 'default'): Promise<CredentialRecord | undefined> {
    const bytes = await readFile(join(this.credentials, `${this.key(profile)}.json`)).catch(() => undefined);
    const parsed = bytes === undefined ? undefined : parseRecord(bytes);
    return parsed?.kind === 'record' ? parsed.record : undefined;
  }

  /** Records that were set aside as unreadable. */
  async corruptRecords(): Promise<number> {
    return (await readdir(this.credentials)).filter((name) => name.includes('.corrupt-')).length;
  }

  /** As if the 15 s had passed after which the locks of a process that is suspended count as left behind. */
  async ageLocks(profile = 'default'): Promise<void> {
    const past = new Date(Date.now() - 60_000);
    for (const name of ['json', 'lease']) {
      const lock = join(this.credentials, `${this.key(profile)}.${name}.lock`);
      if (await lstat(lock).catch(() => undefined)) await utimes(lock, past, past);
    }
  }

  /** What the sign-in that is going on shows. */
  face(profile = 'default'): Promise<SignInStatus | undefined> {
    return openLeases(this.store.folder).readStatus(this.key(profile));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#instances].map(({ host }) => host.close()));
    await this.home.reap();
    await this.server.close();
    await this.authority.close();
    await this.browser.close();
    await this.home.close();
  }
}
