import { describe, expect, test } from 'vitest';
import {
  type CallbackExpectation,
  validateAuthorizationResponse,
} from '../../../../src/auth/callback/authorization-response.ts';

const STATE = 'x9Q-state';
const ISSUER = 'https://as.example';
const silent: CallbackExpectation = { state: STATE, issuer: ISSUER, issParameterSupported: false };
const named: CallbackExpectation = { ...silent, issParameterSupported: true };
const iss = `iss=${encodeURIComponent(ISSUER)}`;

describe('a callback that does not answer our request changes nothing', () => {
  test.each([
    ['', 'missing'],
    ['code=c', 'missing'],
    ['error=access_denied', 'missing'],
    ['state=&code=c', 'wrong'],
    ['state=other&code=c', 'wrong'],
    [`state=${STATE}x&code=c`, 'wrong'],
    [`state=${STATE.toUpperCase()}&code=c`, 'wrong'],
    [`state=${STATE}%00&code=c`, 'wrong'],
    [`state=%ff%fe&code=c`, 'wrong'],
    ['state=other&error=access_denied', 'wrong'],
    [`state=${STATE}&state=${STATE}&code=c`, 'repeated'],
    [`state=other&state=${STATE}&code=c`, 'repeated'],
    [`state[]=${STATE}&code=c`, 'missing'],
    [`STATE=${STATE}&code=c`, 'missing'],
  ])('%j is %s', (query, reason) => {
    expect(validateAuthorizationResponse(query, silent)).toEqual({ kind: 'foreign', reason });
    expect(validateAuthorizationResponse(query, named)).toEqual({ kind: 'foreign', reason });
  });
});

describe('RFC 9207: the issuer is checked before the response', () => {
  const ok = { kind: 'code', code: 'c' };
  const mixUp = (received?: string) => ({ kind: 'mix-up', received });
  test.each([
    ['promised and right', named, iss, ok],
    ['promised and missing', named, '', mixUp(undefined)],
    ['promised and wrong', named, 'iss=https://evil.example', mixUp('https://evil.example')],
    ['promised, with a slash too many', named, `${iss}%2F`, mixUp(`${ISSUER}/`)],
    ['promised, in another case', named, 'iss=https://AS.example', mixUp('https://AS.example')],
    [
      'promised, with the port spelled out',
      named,
      'iss=https://as.example:443',
      mixUp('https://as.example:443'),
    ],
    ['promised and empty', named, 'iss=', mixUp('')],
    ['promised and repeated', named, `${iss}&${iss}`, mixUp(ISSUER)],
    ['not promised and missing', silent, '', ok],
    ['not promised and right', silent, iss, ok],
    ['not promised and wrong', silent, 'iss=https://evil.example', mixUp('https://evil.example')],
    ['not promised and empty', silent, 'iss=', mixUp('')],
  ])('%s', (_name, expectation, parameter, judgement) => {
    expect(validateAuthorizationResponse(`code=c&state=${STATE}&${parameter}`, expectation)).toEqual(
      judgement,
    );
  });

  test('an error from another issuer is a mix-up too, and its text is not used', () => {
    const query = `error=access_denied&error_description=call+this+number&state=${STATE}&iss=https://evil.example`;
    expect(validateAuthorizationResponse(query, silent)).toEqual({
      kind: 'mix-up',
      received: 'https://evil.example',
    });
  });
});

describe('the response', () => {
  test.each([
    ['code=a%2Fb%2B', { kind: 'code', code: 'a/b+' }],
    ['code=c&error=', { kind: 'error', error: '', description: undefined }],
    ['error=access_denied', { kind: 'denied', error: 'access_denied', description: undefined }],
    [
      'error=access_denied&error_description=No.',
      { kind: 'denied', error: 'access_denied', description: 'No.' },
    ],
    ['error=server_error&code=c', { kind: 'error', error: 'server_error', description: undefined }],
    ['', { kind: 'unusable', reason: 'it holds neither a code nor an error' }],
    ['code=', { kind: 'unusable', reason: 'it holds neither a code nor an error' }],
    ['code=a&code=b', { kind: 'unusable', reason: 'it holds more than one code' }],
    ['__proto__=x&constructor=y', { kind: 'unusable', reason: 'it holds neither a code nor an error' }],
  ])('%j', (query, judgement) => {
    expect(validateAuthorizationResponse(`${query}&state=${STATE}`, silent)).toEqual(judgement);
  });
});
