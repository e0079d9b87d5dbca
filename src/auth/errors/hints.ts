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
  ['insufficient_scope', 'Ask for more with --scope, and sign in again.'],
  ['interaction_required', 'Sign in again in a browser.'],
  [
    'invalid_client',
    'The client id, its secret or its key is not (or no longer) known there. Check --client-id and what belongs to it; without it, a new sign-in registers anew.',
  ],
  [
    'invalid_client_metadata',
    'It does not register clients as this one is. A client that was registered by hand can be named with --client-id.',
  ],
  [
    'invalid_dpop_proof',
    'It does not believe the proof that the key of this login is here (DPoP). Check the clock of this machine; else sign in again.',
  ],
  [
    'invalid_grant',
    'What was presented has ended, was used before or was revoked. Sign in again; for a machine, check the assertion.',
  ],
  [
    'invalid_redirect_uri',
    'It wants another redirect address: see --callback-host, --callback-port and --callback-path.',
  ],
  [
    'invalid_request',
    'It does not accept the request as it is. A preset may know what it needs (`PRESETS` lists them).',
  ],
  [
    'invalid_scope',
    'It does not know the scope, or does not grant it to this client. Name another with --scope.',
  ],
  [
    'invalid_software_statement',
    'It registers approved software only. Name a client that was registered by hand with --client-id.',
  ],
  [
    'invalid_target',
    'It does not know the resource. Name another with --resource, or send none with --no-resource.',
  ],
  ['invalid_token', 'Sign in again.'],
  ['login_required', 'Sign in again in a browser.'],
  [
    'method_not_allowed',
    'The address of the endpoint in its metadata is wrong; whoever runs the server has to correct it.',
  ],
  ['server_error', 'The authorization server has a fault of its own. Try again later.'],
  ['slow_down', 'It is asked too often. Try again later.'],
  ['temporarily_unavailable', 'Try again later.'],
  ['too_many_requests', 'It is asked too often. Try again later.'],
  [
    'unapproved_software_statement',
    'It registers approved software only. Name a client that was registered by hand with --client-id.',
  ],
  [
    'unauthorized_client',
    'This client may not use this grant. Whoever runs the authorization server can allow it, or name another with --client-id.',
  ],
  ['unsupported_grant_type', 'It does not offer this grant. Choose another with --grant.'],
  [
    'unsupported_response_type',
    'It does not offer the authorization code grant to this client. Choose another with --grant.',
  ],
  ['unsupported_token_type', 'It cannot revoke this kind of token; it ends by itself.'],
  [
    'use_dpop_nonce',
    'It refuses proofs (DPoP) even with the nonce that it has just given. Try again later, or tell whoever runs it.',
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
