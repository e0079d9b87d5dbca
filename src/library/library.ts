import { textFolder } from '../store/files/text-folder.ts';
import type { Login } from './interface/login-interface.ts';
import type { LoginOptions } from './interface/login-options.ts';
import type { LoginStore } from './interface/store-interface.ts';
import type { AuthorizedTransport, TransportSdk } from './interface/transport-interface.ts';
import type { Address, Fetch } from './interface/web-types.ts';
import { open } from './login.ts';
import { type LoginSettings, loginSettings } from './open.ts';
import { FallbackTransport } from './sdk/transport.ts';

export { SignInNeededError } from '../auth/errors/errors.ts';
export { DrawbridgeError, type ErrorCode } from '../errors.ts';
export { NotReplayableError, OtherOriginError } from './interface/errors.ts';
export type { Login, LoginStatus, SignInOptions } from './interface/login-interface.ts';
export type { LoginOptions, SignInPrompt } from './interface/login-options.ts';
export type { OAuthProvider } from './interface/provider-interface.ts';
export type { LoginStore } from './interface/store-interface.ts';
export type { AuthorizedTransport, TransportClass, TransportSdk } from './interface/transport-interface.ts';
export { type ErrorKind, errorKind, type SdkErrors, toSdkError } from './sdk/errors.ts';

/**
 * Opens the login for the MCP server at `url`: the one shared by the bridges and other programs on this machine with the same options, if any. Starts no
 * sign-in and sends nothing. Close it when it is no longer needed. Rejects with `config` for an unusable option, and with `store_insecure` if other users could
 * read the logins.
 */
export async function openLogin(url: string | Address, options: LoginOptions = {}): Promise<Login> {
  return open(loginSettings(url, options));
}

/**
 * An authorized `fetch` for the MCP server at `url`, for everything that accepts a `fetch`: `login.fetch` of a login that is opened with the first call. It
 * does not keep an idle process alive. Throws a `DrawbridgeError` with the code `config` for an unusable option.
 */
export function authorizedFetch(url: string | Address, options: LoginOptions = {}): Fetch {
  return lazily(loginSettings(url, options)).fetch;
}

/**
 * A transport for the `Client` of the MCP SDK, authorized for the server at `url`: Streamable HTTP and, for a server that does not support it, HTTP+SSE. The
 * SDK is the program's own: `authorizedTransport(url, { StreamableHTTPClientTransport, SSEClientTransport })`. The option `transport` selects what is tried.
 * `close()`, which the client calls, closes the login too. Throws a `DrawbridgeError` with the code `config` for an unusable option.
 */
export function authorizedTransport<T extends object>(
  url: string | Address,
  sdk: TransportSdk<T>,
  options: LoginOptions = {},
): AuthorizedTransport<T> {
  const settings = loginSettings(url, options);
  const { fetch, close } = lazily(settings);
  const { transport: kind, server } = settings.config;
  const deps = { url: server, kind, fetch, closeLogin: close, sdk: sdk as never };
  return new FallbackTransport(deps) as unknown as AuthorizedTransport<T>;
}

/** A login that is opened with the first call. */
function lazily(settings: LoginSettings): { readonly fetch: Fetch; readonly close: () => Promise<void> } {
  let login: Promise<Login> | undefined;
  return {
    fetch: async (input, init) => {
      login ??= open(settings).catch((error: unknown) => {
        login = undefined;
        throw error;
      });
      return (await login).fetch(input, init);
    },
    close: async () => (await login?.catch(() => undefined))?.close(),
  };
}

/** A folder as a `store` for logins of this program, such as a local path, a volume of containers or a network drive. */
export function fileStore(folder: string): LoginStore {
  return textFolder(folder);
}
