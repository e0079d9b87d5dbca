import { createHash, timingSafeEqual } from 'node:crypto';

export interface CallbackExpectation {
  readonly state: string;
  /** The issuer of the authorization server that was asked. */
  readonly issuer: string;
  /** It promised to include `iss` in each response (RFC 9207 §3). */
  readonly issParameterSupported: boolean;
}

export type AuthorizationResponseOutcome =
  /** Not a response to our request: the sign-in goes on as if it had not arrived (.github/SECURITY.md, attacks 27, 28). */
  | { readonly kind: 'foreign'; readonly reason: 'missing' | 'repeated' | 'wrong' }
  /** A response to our request from another server: its code must not be used, nor its texts shown (.github/SECURITY.md, attack 7). */
  | { readonly kind: 'mix-up'; readonly received: string | undefined }
  | { readonly kind: 'denied'; readonly error: string; readonly description: string | undefined }
  | { readonly kind: 'error'; readonly error: string; readonly description: string | undefined }
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'code'; readonly code: string };

/** Validates an authorization response (RFC 6749 §4.1.2): first the state, then the issuer, and only then the result. */
export function validateAuthorizationResponse(
  query: string,
  expectation: CallbackExpectation,
): AuthorizationResponseOutcome {
  const parameters = new URLSearchParams(query);
  const states = parameters.getAll('state');
  const [state] = states;
  if (state === undefined) return { kind: 'foreign', reason: 'missing' };
  if (states.length > 1) return { kind: 'foreign', reason: 'repeated' };
  if (!equalInConstantTime(state, expectation.state)) return { kind: 'foreign', reason: 'wrong' };

  const issuers = parameters.getAll('iss');
  if (!isIssuerAccepted(issuers, expectation)) return { kind: 'mix-up', received: issuers[0] };

  const error = parameters.get('error');
  if (error !== null) {
    const description = parameters.get('error_description') ?? undefined;
    return { kind: error === 'access_denied' ? 'denied' : 'error', error, description };
  }
  // RFC 6749 §3.1: parameters are not repeated. We must not guess which of two codes was meant.
  const codes = parameters.getAll('code');
  const [code] = codes;
  if (codes.length > 1) return { kind: 'unusable', reason: 'it holds more than one code' };
  if (code === undefined || code === '')
    return { kind: 'unusable', reason: 'it holds neither a code nor an error' };
  return { kind: 'code', code };
}

/** RFC 9207 §2.4: compared byte for byte; a promised `iss` must not be missing. */
function isIssuerAccepted(issuers: readonly string[], expectation: CallbackExpectation): boolean {
  if (issuers.length === 0) return !expectation.issParameterSupported;
  return issuers.length === 1 && issuers[0] === expectation.issuer;
}

/** Hashed first, so that the time taken reveals neither the length nor the first difference. */
function equalInConstantTime(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
