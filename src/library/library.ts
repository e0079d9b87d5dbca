import { loginSettings, open } from './login.ts';
import type { Login } from './login-interface.ts';
import type { LoginOptions } from './login-options.ts';
import type { Address, Fetch } from './web-types.ts';

export { SignInNeededError } from '../auth/errors/errors.ts';
export { DrawbridgeError, type ErrorCode } from '../errors.ts';
export { NotReplayableError, OtherOriginError } from './errors.ts';
export type { Login } from './login-interface.ts';
export type { LoginOptions, SignInPrompt } from './login-options.ts';

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
  const settings = loginSettings(url, options);
  let login: Promise<Login> | undefined;
  return async (input, init) => {
    login ??= open(settings).catch((error: unknown) => {
      login = undefined;
      throw error;
    });
    return (await login).fetch(input, init);
  };
}
