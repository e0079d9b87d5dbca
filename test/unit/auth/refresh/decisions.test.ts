import { expect, test } from 'vitest';
import {
  classifyRefreshFailure,
  decideRefresh,
  decideReservation,
  type Failure,
  noteFailure,
  refreshedRecord,
  SILENT_OWNER_MS,
  type Stale,
  type WatchedReservation,
} from '../../../../src/auth/refresh/decisions.ts';
import type { CredentialRecord, LastRefresh, Tokens } from '../../../../src/store/record/record.ts';
import type { RequestState, ReservationState } from '../../../../src/store/reservation/reservation.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const REFUSED: Stale = { token: 'A1', refused: true };
const DUE: Stale = { token: 'A1', refused: false };
const hashOf = (token: string) => `#${token}`;

function record(tokens: Partial<Tokens> = {}, rest: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    version: 1,
    revision: 3,
    family: 'f',
    server: 'https://mcp.example/',
    issuer: 'https://as.example',
    endpoints: { token: 'https://as.example/token' },
    client: { clientId: 'c', source: 'registered' },
    tokens: {
      accessToken: 'A1',
      tokenType: 'Bearer',
      refreshToken: 'R1',
      obtainedAt: NOW - 59 * MINUTE,
      expiresAt: NOW + 30_000,
      ...tokens,
    },
    ...rest,
  };
}

function without<K extends keyof CredentialRecord>(name: K): CredentialRecord {
  const { [name]: _, ...rest } = record();
  return rest as CredentialRecord;
}

const found = (found: CredentialRecord) => ({ kind: 'record', record: found }) as const;
const later = (lastRefresh: Partial<LastRefresh>) =>
  found(record({}, { lastRefresh: { at: NOW, outcome: 'status 503', ...lastRefresh } }));

test.each([
  ['nothing there', { kind: 'absent' } as const, REFUSED, { kind: 'sign-in', reason: 'no-credential' }],
  [
    'set aside',
    { kind: 'corrupt', setAside: 'x' } as const,
    DUE,
    { kind: 'sign-in', reason: 'no-credential' },
  ],
  ['registered only', found(without('tokens')), REFUSED, { kind: 'sign-in', reason: 'no-credential' }],
  ['another token', found(record({ accessToken: 'A2' })), REFUSED, { kind: 'usable' }],
  [
    'another token, at its end',
    found(record({ accessToken: 'A2', expiresAt: NOW })),
    REFUSED,
    { kind: 'refresh' },
  ],
  [
    'the same token',
    found(record()),
    REFUSED,
    { kind: 'refresh', record: record(), refreshToken: 'R1', hash: '#R1' },
  ],
  ['the same token, due', found(record()), DUE, { kind: 'refresh' }],
  ['no token yet in this process', found(record()), { token: undefined, refused: false }, { kind: 'usable' }],
  [
    'no refresh token',
    found(record({ refreshToken: undefined } as never)),
    REFUSED,
    { kind: 'sign-in', reason: 'no-refresh-token' },
  ],
  [
    'a dead refresh token',
    found(record({}, { deadRefreshTokenHash: '#R1' })),
    REFUSED,
    { kind: 'sign-in', reason: 'refresh-token-dead' },
  ],
  [
    'a dead one of the past',
    found(record({}, { deadRefreshTokenHash: '#R0' })),
    REFUSED,
    { kind: 'refresh' },
  ],
  ['no client', found(without('client')), REFUSED, { kind: 'sign-in', reason: 'client-unknown' }],
  [
    'another process was told to wait',
    later({ retryAt: NOW + 900 }),
    DUE,
    { kind: 'postponed', afterMs: 900, outcome: 'status 503' },
  ],
  [
    'the longest wait that counts',
    later({ retryAt: NOW + 5 * MINUTE }),
    DUE,
    { kind: 'postponed', afterMs: 5 * MINUTE },
  ],
  ['that wait is over', later({ retryAt: NOW }), DUE, { kind: 'refresh' }],
  [
    'a wait that no clock of today set',
    later({ retryAt: NOW + 365 * 24 * 60 * MINUTE }),
    DUE,
    { kind: 'refresh' },
  ],
])('under the lock: %s', (_, read, stale, expected) => {
  expect(decideRefresh(read, stale, NOW, hashOf)).toMatchObject(expected);
});

function reservation(
  number: number,
  owner: ReservationState['owner'],
  kind: RequestState['kind'],
  rest: Partial<WatchedReservation> = {},
): WatchedReservation {
  const request: RequestState =
    kind === 'answered' ? { kind, record: record({ accessToken: 'A2' }) } : { kind };
  return { number, owner, ageMs: 1_000, sign: 's', hasHeartbeat: true, silentMs: 0, request, ...rest };
}

const SILENT = { silentMs: SILENT_OWNER_MS + 1 };
/** An earlier version's. */
const MUTE = { hasHeartbeat: false, silentMs: MINUTE };

test.each<[string, WatchedReservation[], Stale, object]>([
  ['none', [], DUE, { kind: 'reserve', number: 1 }],
  ['a living owner', [reservation(1, 'alive', 'maybe')], REFUSED, { kind: 'wait' }],
  [
    'a living owner, of long ago: age never overtakes',
    [reservation(1, 'alive', 'maybe', { ageMs: 1e12, silentMs: 1e12 })],
    REFUSED,
    { kind: 'wait' },
  ],
  ['a living owner that has not sent', [reservation(1, 'alive', 'no')], REFUSED, { kind: 'wait' }],
  ['an owner out of sight', [reservation(1, 'unknown', 'maybe')], REFUSED, { kind: 'wait' }],
  [
    'an owner out of sight that was heard a moment ago, with a clock of its own',
    [reservation(1, 'unknown', 'maybe', { ageMs: 1e12, silentMs: SILENT_OWNER_MS })],
    REFUSED,
    { kind: 'wait' },
  ],
  [
    'an owner out of sight that is silent and has not sent',
    [reservation(1, 'unknown', 'no', SILENT)],
    DUE,
    { kind: 'reserve', number: 2 },
  ],
  [
    'an owner out of sight that is silent and may have sent: as good as lost',
    [reservation(1, 'unknown', 'maybe', SILENT)],
    DUE,
    { kind: 'postponed' },
  ],
  [
    'the same, and the access token is refused',
    [reservation(1, 'unknown', 'maybe', SILENT)],
    REFUSED,
    { kind: 'reserve', number: 2 },
  ],
  [
    'the same, and somebody after it has died before it sent',
    [reservation(1, 'unknown', 'maybe', SILENT), reservation(2, 'dead', 'no')],
    DUE,
    { kind: 'postponed' },
  ],
  [
    'an owner out of sight of a version without a heartbeat',
    [reservation(1, 'unknown', 'maybe', MUTE)],
    REFUSED,
    { kind: 'wait' },
  ],
  [
    'the same, for as long as it counts',
    [reservation(1, 'unknown', 'maybe', { ...MUTE, ageMs: 10 * MINUTE })],
    REFUSED,
    { kind: 'wait' },
  ],
  [
    'the same, of long ago',
    [reservation(1, 'unknown', 'maybe', { ...MUTE, ageMs: 11 * MINUTE })],
    REFUSED,
    { kind: 'reserve', number: 2 },
  ],
  ['a dead owner that had not sent', [reservation(1, 'dead', 'no')], DUE, { kind: 'reserve', number: 2 }],
  [
    'many dead owners that had not sent',
    [1, 2, 3, 4, 5].map((number) => reservation(number, 'dead', 'no')),
    DUE,
    { kind: 'reserve', number: 6 },
  ],
  ['a dead owner that may have sent', [reservation(1, 'dead', 'maybe')], DUE, { kind: 'reserve', number: 2 }],
  [
    'two of them: the harm is done or there is none',
    [reservation(1, 'dead', 'maybe'), reservation(2, 'dead', 'maybe')],
    DUE,
    { kind: 'reserve', number: 3 },
  ],
  ['an answer of a dead owner', [reservation(1, 'dead', 'answered')], REFUSED, { kind: 'adopt-response' }],
  [
    'an answer of a suspended owner',
    [reservation(1, 'alive', 'answered')],
    REFUSED,
    { kind: 'adopt-response' },
  ],
  [
    'an answer, then somebody else',
    [reservation(1, 'dead', 'answered'), reservation(2, 'alive', 'maybe')],
    REFUSED,
    { kind: 'adopt-response' },
  ],
  [
    'no answer came, and the access token serves',
    [reservation(1, 'alive', 'ambiguous')],
    DUE,
    { kind: 'postponed' },
  ],
  [
    'no answer came, and the access token is refused',
    [reservation(1, 'alive', 'ambiguous')],
    REFUSED,
    { kind: 'reserve', number: 2 },
  ],
  [
    'no answer came twice',
    [reservation(1, 'dead', 'ambiguous'), reservation(2, 'alive', 'ambiguous')],
    REFUSED,
    { kind: 'reserve', number: 3 },
  ],
])('reservations: %s', (_, reservations, stale, expected) => {
  expect(decideReservation(reservations, record(), stale, NOW)).toMatchObject(expected);
});

test.each<[string, CredentialRecord, object]>([
  ['is about to end', record({ expiresAt: NOW + 10_000 }), { kind: 'reserve', number: 2 }],
  ['serves for a moment longer', record({ expiresAt: NOW + 10_001 }), { kind: 'postponed' }],
  ['has no known end', record({ expiresAt: undefined } as never), { kind: 'reserve', number: 2 }],
  ['is not there', without('tokens'), { kind: 'reserve', number: 2 }],
])('an ambiguous refresh token, when the access token %s', (_, current, expected) => {
  expect(decideReservation([reservation(1, 'dead', 'ambiguous')], current, DUE, NOW)).toEqual(expected);
});

test('a response for another login is ignored', () => {
  const other = record({}, { family: 'g' });
  expect(decideReservation([reservation(1, 'dead', 'answered')], other, REFUSED, NOW)).toEqual({
    kind: 'reserve',
    number: 2,
  });
});

const answered = (status: number, oauthError?: string): Failure => ({ sent: 'answered', status, oauthError });

test.each<[string, Failure, number, object]>([
  ['connection refused', { sent: 'no' }, 0, { kind: 'postponed', outcome: 'not reached', refused: false }],
  ['reset after sending', { sent: 'maybe' }, 0, { kind: 'ambiguous', outcome: 'no answer' }],
  ['invalid_grant', answered(400, 'invalid_grant'), 0, { kind: 'dead', outcome: 'invalid_grant' }],
  ['invalid_client', answered(401, 'invalid_client'), 0, { kind: 'client-unknown' }],
  ['unauthorized_client', answered(400, 'unauthorized_client'), 0, { kind: 'client-unknown' }],
  ['503', answered(503), 0, { kind: 'postponed', outcome: 'status 503', refused: false }],
  ['429', answered(429), 9, { kind: 'postponed', refused: false }],
  [
    '500 that says invalid_request',
    answered(500, 'invalid_request'),
    9,
    { kind: 'postponed', refused: false },
  ],
  [
    'temporarily_unavailable',
    answered(400, 'temporarily_unavailable'),
    9,
    { kind: 'postponed', refused: false },
  ],
  ['504 of a gateway, behind which it may have been carried out', answered(504), 9, { kind: 'ambiguous' }],
  ['502 of a gateway', answered(502), 0, { kind: 'ambiguous', outcome: 'status 502' }],
  ['524 of a gateway', answered(524), 0, { kind: 'ambiguous' }],
  ['408', answered(408), 9, { kind: 'ambiguous' }],
  ['499', answered(499), 0, { kind: 'ambiguous' }],
  ['500 without a word', answered(500), 0, { kind: 'ambiguous' }],
  [
    '504 with a word of the endpoint',
    answered(504, 'server_error'),
    9,
    { kind: 'postponed', refused: false },
  ],
  ['504 that says invalid_grant', answered(504, 'invalid_grant'), 0, { kind: 'dead' }],
  ['501', answered(501), 9, { kind: 'postponed', refused: false }],
  ['200 with a page', answered(200), 9, { kind: 'ambiguous' }],
  ['299 with a page', answered(299), 9, { kind: 'ambiguous' }],
  ['a status below 200', answered(199), 9, { kind: 'postponed', refused: false }],
  [
    '429 that says invalid_request',
    answered(429, 'invalid_request'),
    9,
    { kind: 'postponed', refused: false },
  ],
  ['403 that says invalid_scope', answered(403, 'invalid_scope'), 0, { kind: 'postponed', refused: true }],
  ['302', answered(302), 9, { kind: 'postponed', refused: false }],
  ['404 of a proxy', answered(404), 9, { kind: 'postponed', refused: false }],
  ['invalid_request, first', answered(400, 'invalid_request'), 0, { kind: 'postponed', refused: true }],
  ['invalid_request, second (Metabase)', answered(400, 'invalid_request'), 1, { kind: 'dead' }],
  [
    'a nonce is wanted (RFC 9449 §8)',
    answered(400, 'use_dpop_nonce'),
    9,
    { kind: 'postponed', refused: false },
  ],
  ['422 in a format of its own, second', answered(422), 1, { kind: 'dead' }],
])('a refresh that fails: %s', (_, failure, refusals, expected) => {
  expect(classifyRefreshFailure(failure, { at: NOW, outcome: 'x', refusals })).toMatchObject(expected);
});

test('the first refusal of a login that was never refreshed is not final', () => {
  expect(classifyRefreshFailure(answered(400, 'invalid_request'), undefined)).toEqual({
    kind: 'postponed',
    outcome: 'invalid_request',
    refused: true,
  });
});

test('the back-off doubles up to a limit, honours Retry-After, and keeps its count', () => {
  const failed = { outcome: 'status 503', refused: false };
  let note: LastRefresh | undefined;
  const waits = Array.from({ length: 9 }, () => {
    note = noteFailure(failed, answered(503), note, NOW);
    return (note.retryAt ?? 0) - NOW;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  const told = noteFailure(failed, { ...answered(429), retryAfterMs: 120_000 }, undefined, NOW);
  expect(told.retryAt).toBe(NOW + 120_000);
  const huge = noteFailure(failed, { ...answered(429), retryAfterMs: 1e12 }, undefined, NOW);
  expect(huge.retryAt).toBe(NOW + 5 * MINUTE);
  expect(Object.keys(huge)).not.toContain('refusals');
  const refused = noteFailure({ outcome: 'x', refused: true }, answered(400), undefined, NOW);
  expect(noteFailure(failed, answered(503), refused, NOW).refusals).toBe(1);
});

test('fields missing from the response keep their value; those about the old token are removed', () => {
  const before = record(
    { scope: 's', idToken: 'I1' },
    { deadRefreshTokenHash: '#R0', lastRefresh: { at: 1, outcome: 'x', refusals: 1 } },
  );
  const next = refreshedRecord(before, { accessToken: 'A2', tokenType: 'Bearer' }, NOW);
  expect(next).toStrictEqual({
    family: 'f',
    server: 'https://mcp.example/',
    issuer: 'https://as.example',
    endpoints: { token: 'https://as.example/token' },
    client: { clientId: 'c', source: 'registered' },
    tokens: {
      accessToken: 'A2',
      tokenType: 'Bearer',
      refreshToken: 'R1',
      obtainedAt: NOW,
      scope: 's',
      idToken: 'I1',
    },
    lastRefresh: { at: NOW, outcome: 'refreshed' },
  });
  const rotated = refreshedRecord(
    before,
    { accessToken: 'A2', tokenType: 'Bearer', refreshToken: 'R2', expiresInSeconds: 60 },
    NOW,
  );
  expect(rotated.tokens).toMatchObject({ refreshToken: 'R2', expiresAt: NOW + MINUTE });
});

test('a first response stores exactly its fields', () => {
  const next = refreshedRecord(without('tokens'), { accessToken: 'A2', tokenType: 'Bearer' }, NOW);
  expect(next.tokens).toStrictEqual({ accessToken: 'A2', tokenType: 'Bearer', obtainedAt: NOW });
});
