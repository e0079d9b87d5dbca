import type { SignInPrompt } from './login-options.ts';
import type { OAuthProvider } from './provider-interface.ts';
import type { Address, Fetch, Signal, WebResponse } from './web-types.ts';

/** A login at one MCP server, for use by a program. Created by `openLogin`. */
export interface Login {
  /**
   * `fetch` for the server: it adds the `Authorization` header or the DPoP proof (RFC 9449), replaces an expired or refused token (once
   * for all processes that share the login), and sends the request again if its body is a string, bytes, URLSearchParams, FormData or a Blob.
   *
   * The caller's own `Authorization` header is dropped. The token is sent only to the origin of the server's address: a call to another origin
   * is sent unchanged; a redirect there is followed without the token for GET and HEAD, and refused for other methods.
   *
   * Rejects with a `DrawbridgeError` (see `ErrorCode`), or with the reason of the signal in `init`. A 401 or 403 that another token would not change is a
   * response like any other.
   */
  readonly fetch: Fetch;
  /**
   * The access token to send now, replaced if it has expired; undefined if there is none. With `onUnauthorized` this is the `AuthProvider` of the
   * MCP SDK 2.x. Rejects with `dpop` if the token is bound to a key, since it is useless without a proof: use `fetch` then.
   */
  token(options?: { readonly signal?: Signal | undefined }): Promise<string | undefined>;
  /**
   * Called by the MCP SDK 2.x after a 401: obtains another token (once for all processes), which the next `token()` returns. Rejects with `sign_in_needed` if
   * only a person can help.
   */
  onUnauthorized(context: { readonly response: WebResponse; readonly serverUrl?: Address }): Promise<void>;
  /**
   * For APIs that only accept the `OAuthClientProvider` of the MCP SDK. It never passes on a refresh token, so that the SDK cannot use it: expired and refused
   * tokens are replaced here, once for all processes. If a sign-in is needed, it is started, `onPrompt` gets its address, and the SDK throws its
   * UnauthorizedError. More scope (403 `insufficient_scope`) is only requested by `fetch`.
   */
  asOAuthClientProvider(): OAuthProvider;
  /**
   * Resolves when there is a valid token: at once, after a refresh, or when a person has signed in at the address passed to `onPrompt`. Joins a sign-in that a
   * bridge or another program has started. Rejects with `sign_in_needed` if `nonInteractive` is set, with `authorization_denied`, `sign_in_expired` (after
   * `authTimeout`) or another code if it fails, and with the signal's reason; the sign-in then continues.
   */
  signIn(options?: SignInOptions): Promise<void>;
  /** The stored state of this login. Sends nothing. */
  status(): Promise<LoginStatus>;
  /**
   * Revokes the tokens at the authorization server (RFC 7009) and removes the login, for all programs and bridges that share it. False: it was removed, but its
   * tokens could not be revoked.
   */
  logout(options?: { readonly signal?: Signal | undefined }): Promise<boolean>;
  /**
   * Ends all calls and waits. A refresh that was sent gets 1.5 seconds to finish. Nothing keeps running afterwards: no timer, no connection. A sign-in in a
   * separate process continues, and other programs see its result.
   */
  close(): Promise<void>;
}

/** Options of a sign-in. */
export interface SignInOptions {
  /** Ends the wait, but not the sign-in. */
  readonly signal?: Signal | undefined;
  /** Called with the address to open, once it is known. May be async. If it throws, the wait ends, but not the sign-in. */
  readonly onPrompt?: ((prompt: SignInPrompt) => void | Promise<void>) | undefined;
}

/** A login as it is stored, without tokens or other secrets. Times are in milliseconds since the epoch. */
export interface LoginStatus {
  readonly server: string;
  readonly profile: string;
  readonly state:
    | 'signed in'
    /** The next call obtains a new token, without a sign-in. */
    | 'expired, refreshable'
    /** The same, for a grant that needs no person. */
    | 'expired, renewable'
    | 'sign-in needed'
    | 'unreadable'
    | 'of a later version'
    /** The keychain with the key of the logins is unavailable. */
    | 'sealed'
    | 'moved'
    | 'half moved';
  /** The grant, if it is one that needs no person. */
  readonly grant?: string | undefined;
  /** The account, if the authorization server names it in an ID token. */
  readonly account?: string | undefined;
  readonly issuer?: string | undefined;
  readonly scope?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly refreshable: boolean;
  readonly lastRefresh?: { readonly at: number; readonly outcome: string } | undefined;
  /** The sign-in under way, in any process of this machine. */
  readonly signIn?:
    | {
        readonly deadline: number;
        readonly address?: string | undefined;
        readonly userCode?: string | undefined;
      }
    | undefined;
}
