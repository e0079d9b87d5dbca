import { type Random, randomToken } from '../../platform/random.ts';
import type { Client } from '../../store/record/record.ts';
import type { AuthorizationServerMetadata } from '../discovery/metadata.ts';
import { AuthorizationResponseError } from '../errors/sign-in-errors.ts';
import type { GuardedFetch } from '../http/guarded-fetch.ts';
import { authorizationRequest } from './authorization-request.ts';
import { pushed } from './pushed-authorization-request.ts';

export interface ForgottenClientOptions {
  readonly fetch: GuardedFetch;
  readonly random: Random;
  readonly metadata: AuthorizationServerMetadata;
  readonly client: Client;
  readonly redirectUri: string;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  readonly signal: AbortSignal;
}

/** The statuses for an unknown client; 403 and 429 may also come from a gateway. */
const UNKNOWN_CLIENT = new Set([400, 401, 404, 410, 422]);
/** The same for an error page after a redirect; a login page may answer 401 or 404 to a client that is not a browser. */
const UNKNOWN_CLIENT_PAGE = new Set([400, 422]);

/**
 * Whether the authorization server has forgotten an earlier registration, as redeployed ones do. By RFC 6749 §4.1.2.1 it says so to the person instead of the
 * client, on a page without a callback, at every further sign-in. So it is asked beforehand, with `prompt=none` so that no login starts there. Only a clear
 * rejection counts: a new registration is cheap, but not available everywhere.
 */
export async function isClientForgotten(options: ForgottenClientOptions): Promise<boolean> {
  const { fetch, random, signal } = options;
  const { address } = await authorizationRequest({ ...options, state: randomToken(random) });
  try {
    // RFC 9126 §2.3: that endpoint reports it, and the server accepts nothing through the browser.
    if (options.metadata.pushedAuthorizationRequestEndpoint !== undefined) {
      await pushed({ ...options, address });
      return false;
    }
    const url = new URL(address);
    url.searchParams.set('prompt', 'none');
    const { status, redirected } = await fetch.get(url, signal);
    return (redirected === true ? UNKNOWN_CLIENT_PAGE : UNKNOWN_CLIENT).has(status);
  } catch (error) {
    if (error instanceof AuthorizationResponseError) return error.oauthError === 'invalid_client';
    // Redirected to a login page or back to us: known. Not reached: the browser will find out.
    signal.throwIfAborted();
    return false;
  }
}
