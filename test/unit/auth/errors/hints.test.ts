import { describe, expect, it } from 'vitest';
import { hintFor, hintOf } from '../../../../src/auth/errors/hints.ts';

/** By document, so that a code that is missing is missed. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  'RFC 6749 §4.1.2.1': [
    'invalid_request',
    'unauthorized_client',
    'access_denied',
    'unsupported_response_type',
    'invalid_scope',
    'server_error',
    'temporarily_unavailable',
  ],
  'RFC 6749 §5.2': ['invalid_client', 'invalid_grant', 'unsupported_grant_type'],
  'RFC 6750 §3.1': ['invalid_token', 'insufficient_scope'],
  'RFC 7009 §2.2.1': ['unsupported_token_type'],
  'RFC 7591 §3.2.2': [
    'invalid_redirect_uri',
    'invalid_client_metadata',
    'invalid_software_statement',
    'unapproved_software_statement',
  ],
  'RFC 8628 §3.5': ['authorization_pending', 'slow_down', 'expired_token'],
  'RFC 8707 §2': ['invalid_target'],
  'RFC 9449 §5, §8': ['invalid_dpop_proof', 'use_dpop_nonce'],
  'OpenID Connect Core §3.1.2.6': [
    'interaction_required',
    'login_required',
    'account_selection_required',
    'consent_required',
  ],
  'the SDK': ['method_not_allowed', 'too_many_requests'],
};

describe.each(Object.entries(CODES))('%s', (_document, codes) => {
  it.each(codes)('%s says what to do, in one or two sentences', (code) => {
    expect(hintFor(code)).toMatch(/^[A-Z][^\n]{10,250}\.$/);
  });
});

it("there is none for a code of the server's own, nor for a property of Object.prototype", () => {
  for (const code of ['AADSTS9010010', '__proto__', 'constructor', '', undefined]) {
    expect(hintFor(code)).toBeUndefined();
    expect(hintOf(code)).toEqual({});
  }
});
