import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DpopError } from '../auth/errors/errors.ts';
import { composeAuthorization } from '../compose/credential.ts';
import { type Platform, serverHttp, systemPlatform } from '../compose/platform.ts';
import { settingSecrets } from '../compose/settings/setting-secrets.ts';
import type { Config } from '../config/config.ts';
import { libraryConfig } from '../config/library-config.ts';
import { readSettingsFile } from '../config/sources/read-file.ts';
import { AbortedError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Http } from '../platform/http/http.ts';
import { silentLogger } from '../platform/log/logger.ts';
import { version } from '../platform/version.ts';
import { keepSecret } from '../redaction/secrets.ts';
import { keyOf } from '../store/record/credential-key.ts';
import { AuthorizedFetch } from './authorized-fetch.ts';
import { HandedOutTokens, type RefusedToken } from './handed-out-tokens.ts';
import type { Login } from './login-interface.ts';
import type { LoginOptions } from './login-options.ts';
import { callersSend, ownSend } from './send.ts';
import { Tokens } from './tokens.ts';
import type { Fetch } from './web-types.ts';

/** The settings of a login, checked, and what of the options is for the library alone. */
export interface LoginSettings {
  readonly config: Config;
  readonly own: Pick<LoginOptions, 'fetch' | 'onPrompt'>;
}

/** Throws ConfigError, which names the option. */
export function loginSettings(url: unknown, options: LoginOptions): LoginSettings {
  const { fetch, onPrompt, ...given } = options;
  const config = libraryConfig(
    url,
    { noBrowser: true, ...given },
    { environment: process.env, readFile: readSettingsFile },
  );
  const { headers, server, oauth } = config;
  for (const secret of settingSecrets({ headers, server, ...oauth }, process.env))
    keepSecret(secret, 'setting');
  return { config, own: { ...(fetch && { fetch }), ...(onPrompt && { onPrompt }) } };
}

/** The program of this package: the sign-in runs in a process of it. From each folder of the package's files it is one up. */
const PROGRAM = fileURLToPath(new URL('../launch.cjs', import.meta.url));

/** Opens the login with these settings. Rejects with a DrawbridgeError where the store or a certificate cannot be used. */
export async function open({ config, own }: LoginSettings): Promise<OpenLogin> {
  const closing = new AbortController();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  const platform: Platform = { ...systemPlatform(PROGRAM, streams), stop: closing.signal };
  const authorization = await composeAuthorization(config, keyOf(config), platform, silentLogger);
  const http = await serverHttp(platform, config);
  const { server, wait } = config;
  const tokens = new Tokens({ server, authorization, clock: platform.clock, wait, onPrompt: own.onPrompt });
  const authorized = new AuthorizedFetch({
    server,
    headers: config.headers,
    userAgent: `mcp-drawbridge/${version}`,
    tokens,
    send: own.fetch === undefined ? ownSend(http) : callersSend(own.fetch),
    closing: closing.signal,
  });
  return new OpenLogin({
    tokens,
    clock: platform.clock,
    authorized,
    closing,
    http,
    closeAuthorization: async () => authorization.close(),
  });
}

interface OpenLoginParts {
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly authorized: AuthorizedFetch;
  readonly closing: AbortController;
  readonly http: Http;
  readonly closeAuthorization: () => Promise<void>;
}

/** A login that a program has opened. */
export class OpenLogin implements Login {
  readonly fetch: Fetch;
  readonly #parts: OpenLoginParts;
  readonly #handedOut = new HandedOutTokens();

  constructor(parts: OpenLoginParts) {
    this.#parts = parts;
    const { authorized } = parts;
    this.fetch = (input, init) => authorized.fetch(input as string | URL | Request, init);
  }

  async token({ signal }: { readonly signal?: AbortSignal } = {}): Promise<string | undefined> {
    const bearer = await this.#parts.tokens.current(this.#within(signal));
    this.#handedOut.handOut(bearer, this.#parts.clock.monotonic());
    if (bearer?.dpopProofs === undefined) return bearer?.token;
    throw new DpopError('the token is bound to a key and is of no use without a proof', {
      hint: "Use the login's fetch, which adds the proof.",
    });
  }

  async onUnauthorized({ response }: { readonly response: Response }): Promise<void> {
    const { clock } = this.#parts;
    const refusal = this.#handedOut.reported(clock.monotonic());
    if (refusal.kind === 'refused') await this.#replace(refusal, response);
    this.#handedOut.answered();
  }

  async #replace({ bearer, worked }: RefusedToken, response: Response): Promise<void> {
    const { tokens } = this.#parts;
    const { bearerChallenge } = await import('../protocol/www-authenticate.ts');
    const header = response.headers.get('www-authenticate');
    const challenge = header === null ? undefined : bearerChallenge(header);
    if (worked && bearer !== undefined) tokens.worked(bearer);
    await tokens.replace(bearer, challenge, this.#within(undefined));
  }

  async close(): Promise<void> {
    const { closing, closeAuthorization, http } = this.#parts;
    closing.abort(new AbortedError('the login was closed'));
    await closeAuthorization();
    await http.close();
  }

  #within(signal: AbortSignal | undefined): AbortSignal {
    const { closing } = this.#parts;
    return signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
  }
}
