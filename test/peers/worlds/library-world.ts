import { libraryConfig } from '../../../src/config/library-config.ts';
import type { LoginOptions } from '../../../src/library/interface/login-options.ts';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/port/store.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import type { CredentialRecord, Tokens } from '../../../src/store/record/record.ts';
import { expiredLogin } from '../processes/credentials.ts';
import { TemporaryHome } from '../processes/home.ts';
import { Vendor, type VendorHabits } from '../vendors/vendor.ts';

/** A protected server, and a home for the programs of one user, with a login in it or none. */
export class LibraryWorld implements AsyncDisposable {
  readonly vendor: Vendor;
  readonly home: TemporaryHome;
  readonly store: Store;

  private constructor(vendor: Vendor, home: TemporaryHome, store: Store) {
    this.vendor = vendor;
    this.home = home;
    this.store = store;
  }

  static async create(habits: VendorHabits = {}): Promise<LibraryWorld> {
    const [vendor, home] = await Promise.all([Vendor.start(habits), TemporaryHome.create()]);
    return new LibraryWorld(vendor, home, await openStore({ home: home.state, logger: silentLogger }));
  }

  get url(): string {
    return this.vendor.mcpUrl;
  }

  /** The options of a program of this home without sign-ins. */
  options(more: LoginOptions = {}): LoginOptions {
    return { home: this.home.state, nonInteractive: true, ...more };
  }

  /** Signs in: a login with a valid token, changed as `change` says. */
  async signIn(change: Partial<Tokens> = {}, options: LoginOptions = {}): Promise<string> {
    const { access_token: accessToken, refresh_token: refreshToken } = this.vendor.issue().body as Record<
      string,
      string
    >;
    const now = Date.now();
    const tokens = { accessToken, refreshToken, obtainedAt: now, expiresAt: now + 3_600_000, ...change };
    const record = expiredLogin(`${this.vendor.origin}/token`, tokens.refreshToken ?? '');
    const { key } = this.#login(options);
    const next = {
      ...record,
      server: this.url,
      tokens: { ...record.tokens, tokenType: 'Bearer', ...tokens } as Tokens,
    };
    await this.store.write(key, next, 'any');
    return tokens.accessToken ?? '';
  }

  async record(options: LoginOptions = {}): Promise<CredentialRecord | undefined> {
    const found = await this.store.read(this.#login(options).key);
    return found.kind === 'record' ? found.record : undefined;
  }

  #login(options: LoginOptions): { readonly key: string } {
    const { fetch: _, onPrompt: __, ...given } = options;
    const deps = { environment: {}, readFile: () => '' };
    return { key: keyOf(libraryConfig(this.url, given, deps)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vendor[Symbol.asyncDispose]();
    await this.home.close();
  }
}

/** A request to an MCP server. */
export function rpc(method: string, more: RequestInit = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method }),
    ...more,
  };
}
