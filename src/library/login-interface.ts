import type { Address, Fetch, Signal, WebResponse } from './web-types.ts';

/** A login at one MCP server, as a program uses it. `openLogin` makes it. */
export interface Login {
  /**
   * `fetch` for the server: it adds the `Authorization` header or the DPoP proof (RFC 9449), replaces the token where it is at its end or refused (once
   * for all processes that share the login), and sends the request again if its body is a string, bytes, URLSearchParams, FormData or a Blob.
   *
   * An `Authorization` header of the caller is left out. The token goes to the origin of the server's address and to no other: a call to another origin
   * goes out as it is; a redirect there is followed without the token for GET and HEAD, and refused for all else.
   *
   * Rejects with a `DrawbridgeError` (see `ErrorCode`), or with the reason of the signal in `init`. A 401 or 403 that no other token can help with is a
   * response as any other.
   */
  readonly fetch: Fetch;
  /**
   * The access token to send now, replaced where it is at its end; undefined if there is none. With `onUnauthorized` this is the `AuthProvider` of the
   * MCP SDK 2.x. Rejects with `dpop` if the token is bound to a key, since it is of no use without a proof: use `fetch` then.
   */
  token(options?: { readonly signal?: Signal }): Promise<string | undefined>;
  /**
   * What the MCP SDK 2.x calls after a 401: another token is obtained (once for all processes), so that the next `token()` brings it. Rejects with
   * `sign_in_needed` where only a person helps.
   */
  onUnauthorized(context: { readonly response: WebResponse; readonly serverUrl?: Address }): Promise<void>;
  /**
   * Ends all calls and waiting. A refresh that was sent gets 1.5 seconds to come to its end. Nothing is left running afterwards: no timer, no
   * connection. A sign-in that runs in a process of its own goes on, and other programs see how it ends.
   */
  close(): Promise<void>;
}
