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
 * Opens the login for the MCP server at `url`: the one on this machine that the bridges and other programs with the same options use, or none yet. No
 * person is asked, and nothing is sent. Close it when it is no longer needed.
 *
 * Rejects with `config` for an option that cannot be used, and with `store_insecure` where other users could read the logins.
 */
export async function openLogin(url: string | Address, options: LoginOptions = {}): Promise<Login> {
  return open(loginSettings(url, options));
}

/**
 * A `fetch` that is authorized for the MCP server at `url`, for all that takes one: `login.fetch` of a login that is opened with the first call. It
 * keeps no process alive that has nothing else to do.
 *
 * Throws a `DrawbridgeError` with the code `config` for an option that cannot be used.
 */
export function authorizedFetch(url: string | Address, options: LoginOptions = {}): Fetch {
  return lazily(loginSettings(url, options)).fetch;
}

/**
 * A transport for the `Client` of the MCP SDK, authorized for the server at `url`: Streamable HTTP and, for a server that does not know it, HTTP+SSE. The
 * SDK is the program's own: `authorizedTransport(url, { StreamableHTTPClientTransport, SSEClientTransport })`. The option `transport` says which is
 * tried. `close()`, which the client calls, closes the login too.
 *
 * Throws a `DrawbridgeError` with the code `config` for an option that cannot be used.
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

/** A folder as a `store` for logins of this program, which a path of the machine, a volume of containers or a network drive may hold. */
export function fileStore(folder: string): LoginStore {
  return textFolder(folder);
}
