import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunSignInDeps, runSignIn, type SignInOutcome } from '../../../src/auth/sign-in/run.ts';
import type { SignInRequest } from '../../../src/auth/sign-in-request.ts';
import { runSignInDeps } from '../../../src/compose/sign-in.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { type Leases, openLeases, type SignInStatus } from '../../../src/store/lease/lease.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { FileStore } from '../../../src/store/port/file-store.ts';
import { credentialKey } from '../../../src/store/record/key.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../authorization-servers/authorization-server.ts';
import { visit } from '../browsers/browser-visit.ts';
import { testPlatform } from '../hosts/test-platform.ts';
import { Journal } from '../net/journal.ts';
import { type Listening, listen } from '../net/listening.ts';

/** A protected server, its authorization server, a store, and a browser that is an HTTP client: all that a sign-in meets. */
export class SignInWorld implements AsyncDisposable {
  readonly faces = new Journal<SignInStatus>();
  readonly opened = new Journal<string>();
  readonly authorization: AuthorizationServer;
  readonly server: string;
  readonly store: FileStore;
  readonly leases: Leases;
  readonly key: string;
  readonly #folder: string;
  readonly #resource: Listening;
  readonly #stop = new AbortController();
  readonly #begun: Promise<SignInOutcome>[] = [];

  private constructor(
    folder: string,
    authorization: AuthorizationServer,
    resource: Listening,
    server: string,
    store: FileStore,
  ) {
    this.#folder = folder;
    this.authorization = authorization;
    this.#resource = resource;
    this.server = server;
    this.store = store;
    this.leases = openLeases(store.folder);
    this.key = credentialKey({ server: new URL(server), grant: 'authorization_code', profile: 'default' });
  }

  static async create(options: AuthorizationServerOptions = {}): Promise<SignInWorld> {
    const authorization = await startAuthorizationServer(options);
    const resource = await listen((request, response) => {
      const server = `http://${request.headers.host}/mcp`;
      if (request.url !== '/.well-known/oauth-protected-resource/mcp') return response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ resource: server, authorization_servers: [authorization.issuer] }));
    });
    const folder = await mkdtemp(join(tmpdir(), 'drawbridge-sign-in-'));
    const store = await openStore({ home: folder, logger: silentLogger });
    return new SignInWorld(folder, authorization, resource, `${resource.origin}/mcp`, store);
  }

  get folder(): string {
    return this.#folder;
  }

  request(nonce: string, part: Partial<SignInRequest> = {}): SignInRequest {
    return {
      ...oauthDefaults,
      key: this.key,
      nonce,
      server: this.server,
      challenge: { scheme: 'Bearer' },
      allowHttp: false,
      authTimeoutMs: 60_000,
      openBrowser: true,
      debug: false,
      ...part,
    };
  }

  async takeLease(): Promise<string> {
    const lease = await this.leases.create(this.key, Date.now());
    if (lease.kind !== 'created') throw new Error('the lease is held');
    return lease.nonce;
  }

  /** What the program gives to a sign-in, with a browser that only notes the address and a journal of the statuses. */
  async deps(request: SignInRequest, part: Partial<RunSignInDeps> = {}): Promise<RunSignInDeps> {
    const platform = testPlatform({
      loadBrowser: async () => async (address) => {
        this.opened.add(address);
        return { kind: 'opened', command: 'test' };
      },
    });
    const leases: Leases = {
      ...this.leases,
      writeStatus: async (key, face) => {
        await this.leases.writeStatus(key, face);
        this.faces.add(face);
      },
    };
    const deps = await runSignInDeps(request, platform, silentLogger, { store: this.store, leases });
    return { ...deps, ...part };
  }

  /** Begins a sign-in; the test is the browser. */
  async start(
    part: Partial<SignInRequest> = {},
    deps: Partial<RunSignInDeps> = {},
    signal: AbortSignal = this.#stop.signal,
  ): Promise<{ readonly outcome: Promise<SignInOutcome>; readonly address: Promise<string> }> {
    const from = this.faces.entries.length;
    const nonce = await this.takeLease();
    const request = this.request(nonce, part);
    const outcome = runSignIn(request, await this.deps(request, deps), signal);
    this.#begun.push(outcome);
    const address = this.faces
      .waitFor((face) => face.address !== undefined, { from, what: 'an address' })
      .then((face) => face.address as string);
    address.catch(() => {});
    return { outcome, address };
  }

  /** A whole sign-in by a person who says yes. */
  async signIn(part: Partial<SignInRequest> = {}) {
    const { outcome, address } = await this.start(part);
    const page = await visit(await address);
    return { page, outcome: await outcome };
  }

  /** The number of requests that carried a code to the token endpoint, successful or not. */
  codePosts(): number {
    return this.authorization.requests.count(({ body }) => body.includes('grant_type=authorization_code'));
  }

  async record() {
    const read = await this.store.read(this.key);
    return read.kind === 'record' ? read.record : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // They write to the folder until they end.
    await Promise.allSettled(this.#begun);
    await this.#resource.close();
    await this.authorization.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

export function createSignInWorld(options?: AuthorizationServerOptions): Promise<SignInWorld> {
  return SignInWorld.create(options);
}
