import { ownCommand } from '../../platform/program/program-command.ts';

/**
 * What a person can do about an OAuth error, by its code: RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9126, RFC
 * 9449, OpenID Connect Core §3.1.2.6, and additions of the SDK's servers. The message itself says what happened, and at which endpoint.
 */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['access_denied', 'Access was declined. Try again to be asked once more.'],
  ['account_selection_required', 'Sign in again and choose an account.'],
  ['authorization_pending', 'Nobody has entered the code yet.'],
  ['consent_required', 'Sign in again and agree.'],
  ['expired_token', 'The code was not entered in time. Try again for a new one.'],
  ['insufficient_scope', 'Request more with --scope, and sign in again.'],
  ['interaction_required', 'Sign in again in a browser.'],
  [
    'invalid_client',
    'The client id, its secret or its key is not (or no longer) known there. Check --client-id and its options; without it, a new sign-in registers again.',
  ],
  [
    'invalid_client_metadata',
    'It does not register clients of this kind. Pass a manually registered client with --client-id.',
  ],
  [
    'invalid_dpop_proof',
    'It rejects the proof that this login has its key (DPoP). Check the clock of this machine; if that is right, sign in again.',
  ],
  [
    'invalid_grant',
    'The grant has expired, was used before or was revoked. Sign in again; for a machine grant, check the assertion.',
  ],
  [
    'invalid_redirect_uri',
    'It requires another redirect address: see --callback-host, --callback-port and --callback-path.',
  ],
  [
    'invalid_request',
    'It does not accept the request as it is. A preset may know what it needs (`PRESETS` lists them).',
  ],
  [
    'invalid_scope',
    'It does not know the scope, or does not grant it to this client. Request another with --scope.',
  ],
  [
    'invalid_software_statement',
    'It registers only approved software. Pass a manually registered client with --client-id.',
  ],
  [
    'invalid_target',
    'It does not know the resource. Set another with --resource, or send none with --no-resource.',
  ],
  ['invalid_token', 'Sign in again.'],
  ['login_required', 'Sign in again in a browser.'],
  [
    'method_not_allowed',
    'The address of the endpoint in its metadata is wrong; the operator of the server has to correct it.',
  ],
  ['server_error', 'The authorization server has an internal error. Try again later.'],
  ['slow_down', 'It received too many requests. Try again later.'],
  ['temporarily_unavailable', 'Try again later.'],
  ['too_many_requests', 'It received too many requests. Try again later.'],
  [
    'unapproved_software_statement',
    'It registers only approved software. Pass a manually registered client with --client-id.',
  ],
  [
    'unauthorized_client',
    'This client may not use this grant. The operator of the authorization server can allow it; or pass another client with --client-id.',
  ],
  ['unsupported_grant_type', 'It does not offer this grant. Choose another with --grant.'],
  [
    'unsupported_response_type',
    'It does not offer the authorization code grant to this client. Choose another with --grant.',
  ],
  ['unsupported_token_type', 'It cannot revoke this kind of token, which expires by itself.'],
  [
    'use_dpop_nonce',
    'It refuses proofs (DPoP) even with the nonce that it has just issued. Try again later, or tell its operator.',
  ],
]);

/** Undefined: a code of the server's own, whose description has to suffice. */
export function hintFor(oauthError: string | undefined): string | undefined {
  return MEANINGS.get(oauthError ?? '')?.replace('PRESETS', () => ownCommand('presets'));
}

/** The same as part of an error's details. */
export function hintOf(oauthError: string | undefined): { readonly hint: string | undefined } {
  return { hint: hintFor(oauthError) };
}
