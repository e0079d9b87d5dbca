import type { Authorization } from '../auth/authorization.ts';
import { DpopError } from '../auth/errors/errors.ts';
import { AbortedError } from '../errors.ts';
import { version } from '../platform/version.ts';
import { AuthorizedFetch } from './fetch/authorized-fetch.ts';
import { HandedOutTokens, type RefusedToken } from './fetch/handed-out-tokens.ts';
import { ReplaceableAuthorization } from './fetch/replaceable-authorization.ts';
import { callersSend, ownSend } from './fetch/send.ts';
import { Tokens } from './fetch/tokens.ts';
import type { Login, LoginStatus, SignInOptions } from './interface/login-interface.ts';
import type { OAuthProvider } from './interface/provider-interface.ts';
import type { Fetch } from './interface/web-types.ts';
import { type LoginParts, type LoginSettings, openParts } from './open.ts';
import { LoginProvider } from './sdk/provider.ts';
import { signInWith, storedToken } from './sign-in.ts';

/** Opens the login with these settings. Rejects with a DrawbridgeError if the store or a certificate is unusable. */
export async function open(settings: LoginSettings): Promise<Login> {
  const closing = new AbortController();
  const parts = await openParts(settings, closing.signal);
  return new OpenLogin(settings, parts, closing, await parts.authorization(false));
}

class OpenLogin implements Login {
  readonly fetch: Fetch;
  readonly #settings: LoginSettings;
  readonly #parts: LoginParts;
  readonly #closing: AbortController;
  readonly #tokens: Tokens;
  readonly #handedOut = new HandedOutTokens();
  #authorization: ReplaceableAuthorization;
  /** Earlier ones, for which calls still wait. */
  readonly #former = new Set<ReplaceableAuthorization>();

  constructor(
    settings: LoginSettings,
    parts: LoginParts,
    closing: AbortController,
    authorization: Authorization,
  ) {
    const { config, own } = settings;
    const { server, headers, wait } = config;
    const { http, platform } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#closing = closing;
    this.#authorization = new ReplaceableAuthorization(authorization);
    const { clock } = platform;
    const current = () => this.#authorization;
    this.#tokens = new Tokens({
      server,
      authorization: current,
      clock,
      wait,
      onPrompt: own.onPrompt,
      storedToken: () => storedToken(parts),
    });
    const authorized = new AuthorizedFetch({
      server,
      headers,
      userAgent: `mcp-drawbridge/${version}`,
      tokens: this.#tokens,
      send: own.fetch === undefined ? ownSend(http) : callersSend(own.fetch),
      closing: closing.signal,
    });
    this.fetch = (input, init) => authorized.fetch(input as string | URL | Request, init);
  }

  async token({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    const { headers } = this.#settings.config;
    const given = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    if (given !== undefined) return given.replace(/^Bearer +/i, '');
    const bearer = await this.#tokens.current(this.#within(signal));
    this.#handedOut.handOut(bearer, this.#parts.platform.clock.monotonic());
    if (bearer?.dpopProofs === undefined) return bearer?.token;
    throw new DpopError('the token is bound to a key and is of no use without a proof', {
      hint: "Use the login's fetch, which adds the proof.",
    });
  }

  async onUnauthorized({ response }: { readonly response: Response }): Promise<void> {
    await this.#renew(response.headers.get('www-authenticate') ?? undefined);
  }

  /** Replaces the token that was handed out, after a 401 with this `WWW-Authenticate`. */
  async #renew(header: string | undefined): Promise<void> {
    const refusal = this.#handedOut.reported(this.#parts.platform.clock.monotonic());
    if (refusal.kind === 'refused') await this.#replace(refusal, header);
    this.#handedOut.answered();
  }

  async #replace({ bearer, worked }: RefusedToken, header: string | undefined): Promise<void> {
    const { bearerChallenge } = await import('../protocol/www-authenticate.ts');
    const challenge = header === undefined ? undefined : bearerChallenge(header);
    if (worked && bearer !== undefined) this.#tokens.worked(bearer);
    await this.#tokens.replace(bearer, challenge, this.#within(undefined));
  }

  asOAuthClientProvider(): OAuthProvider {
    const { server, oauth } = this.#settings.config;
    return new LoginProvider({
      server,
      scope: oauth.scope,
      token: () => this.token(),
      renew: () => this.#renew(undefined),
    });
  }

  async signIn({ signal, onPrompt }: SignInOptions = {}): Promise<void> {
    const within = this.#within(signal);
    const { nonInteractiveReason } = this.#settings.config;
    // In CI, and if many machines share a login, calls start no sign-in; this function does.
    const isOther = nonInteractiveReason !== undefined && nonInteractiveReason !== 'asked';
    const asking = isOther
      ? new ReplaceableAuthorization(await this.#parts.authorization(true))
      : this.#authorization;
    const prompts = [onPrompt, this.#settings.own.onPrompt].filter((each) => each !== undefined);
    try {
      await signInWith(
        asking,
        this.#parts,
        (prompt) => Promise.all(prompts.map(async (each) => each(prompt))),
        within,
      );
    } finally {
      if (isOther) this.#drop(asking);
    }
    if (isOther) await this.#startOver();
  }

  async status(): Promise<LoginStatus> {
    const { loginStatus } = await import('./status.ts');
    return loginStatus(this.#parts);
  }

  async logout({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const { logoutOf } = await import('./logout.ts');
    const isClean = await logoutOf(this.#parts, this.#within(signal));
    // The state in memory is no longer valid.
    await this.#startOver();
    return isClean;
  }

  async close(): Promise<void> {
    const { shared, http } = this.#parts;
    this.#closing.abort(new AbortedError('the login was closed'));
    await Promise.all([...this.#former, this.#authorization].map((each) => each.close()));
    await Promise.all([shared.close(), http.close()]);
  }

  async #startOver(): Promise<void> {
    const next = new ReplaceableAuthorization(await this.#parts.authorization(false));
    const former = this.#authorization;
    this.#authorization = next;
    this.#drop(former);
  }

  #drop(former: ReplaceableAuthorization): void {
    this.#former.add(former);
    former.replaced(() => this.#former.delete(former));
  }

  #within(signal: AbortSignal | undefined): AbortSignal {
    const { signal: closing } = this.#closing;
    closing.throwIfAborted();
    return signal === undefined ? closing : AbortSignal.any([signal, closing]);
  }
}
