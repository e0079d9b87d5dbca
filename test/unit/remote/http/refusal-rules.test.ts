import { describe, expect, test } from 'vitest';
import type { MessageId } from '../../../../src/protocol/message-id.ts';
import { mayPass, retryAfterMs } from '../../../../src/remote/http/backoff.ts';
import { MAX_REFUSAL_BYTES, MAX_RETRY_AFTER_MS } from '../../../../src/remote/http/limits.ts';
import {
  classifyRejection,
  endsSession,
  type Refusal,
  rpcErrorIn,
  UNKNOWN_MESSAGE_STATUSES,
} from '../../../../src/remote/http/refusal.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const refusal = (status: number, body = '', more: Partial<Omit<Refusal, 'body'>> = {}): Refusal => ({
  status,
  contentType: 'text/plain',
  wwwAuthenticate: undefined,
  retryAfter: undefined,
  location: undefined,
  ...more,
  body: Buffer.from(body),
});
const rule = (given: Refusal, { hadSession = false, id = '1' as MessageId | undefined } = {}) =>
  classifyRejection(given, { hadSession, id, now: NOW });
const answer = (id: unknown, error: object = { code: -32_602, message: 'no' }) =>
  JSON.stringify({ jsonrpc: '2.0', id, error });

describe('a refused call', () => {
  test.each([307, 308, 403, 404, 405, 413, 414, 415, 421, 426, 429, 431])(
    '%d comes before the call is run',
    (status) => {
      expect(rule(refusal(status))).toMatchObject({
        kind: 'failed',
        mayHaveRun: false,
        sessionIsGone: false,
      });
    },
  );

  test.each([201, 302, 400, 402, 406, 408, 409, 410, 422, 499, 500, 501, 505, 507, 520, 529])(
    '%d does not show whether it was run',
    (status) => {
      expect(rule(refusal(status))).toMatchObject({ kind: 'failed', mayHaveRun: true });
    },
  );

  test.each([502, 503, 504])('%d comes from a gateway without a server', (status) => {
    expect(rule(refusal(status))).toMatchObject({ kind: 'unreachable', error: { status } });
  });

  test.each([400, 500, 504])('Retry-After is read with 429 and 503, and not with %d', (status) => {
    expect(rule(refusal(status, '', { retryAfter: '1' })).kind).not.toBe('retry-after');
  });
});

describe('insufficient_scope (RFC 6750 §3.1)', () => {
  const wwwAuthenticate = { scheme: 'Bearer', error: 'insufficient_scope', scope: 'files:write' };

  test('with 403 asks for more', () => {
    expect(rule(refusal(403, '', { wwwAuthenticate }))).toMatchObject({
      kind: 'scope-needed',
      error: { status: 403 },
    });
  });

  test.each([
    [400, wwwAuthenticate],
    [403, { ...wwwAuthenticate, error: 'invalid_token' }],
    [403, undefined],
  ])('%d with %j does not', (status, challenge) => {
    expect(rule(refusal(status, '', { wwwAuthenticate: challenge })).kind).toBe('failed');
  });
});

test.each([
  [400, true],
  [404, true],
  [405, true],
  [406, true],
  [415, true],
  [501, true],
  [401, false],
  [403, false],
  [429, false],
  [500, false],
])('whether %d may mean an unknown kind of message: %s', (status, expected) => {
  expect(UNKNOWN_MESSAGE_STATUSES.has(status)).toBe(expected);
});

describe('a body about the message', () => {
  test.each<[string, string, object]>([
    ['an answer in a batch', `[${answer(2)},${answer(1)}]`, { kind: 'answer', sessionIsGone: false }],
    ['a batch of answers to others', `[${answer(2)},${answer(3)}]`, { kind: 'failed', mayHaveRun: false }],
    ['a batch in a batch', `[ \n\t[${answer(1)}]]`, { kind: 'failed', mayHaveRun: true }],
    ['a batch that names it', `[{"id":2},{"id":1}]`, { kind: 'failed', mayHaveRun: true }],
    ['its id as a string', answer('1'), { kind: 'failed', mayHaveRun: true }],
    ['its id without an answer', '{"id":1,"detail":"x"}', { kind: 'failed', mayHaveRun: true }],
    ['another id without an answer', '{"id":2,"detail":"x"}', { kind: 'failed', mayHaveRun: false }],
    ['no id', '{"id":null}', { kind: 'failed', mayHaveRun: false }],
    [
      'a request with its id',
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      { kind: 'failed', mayHaveRun: true },
    ],
    ['an object cut short', '{"id":1,', { kind: 'failed', mayHaveRun: true }],
    ['one cut short in a name, before the id', '{"j', { kind: 'failed', mayHaveRun: true }],
    ['one cut short after its bracket', '{ ', { kind: 'failed', mayHaveRun: true }],
    ['one that begins with blanks', '{ \n"id":1,', { kind: 'failed', mayHaveRun: true }],
    ['a batch that begins with blanks', '[ \n{"id":1,', { kind: 'failed', mayHaveRun: true }],
    ['a batch that is cut short', '[[', { kind: 'failed', mayHaveRun: true }],
    ['a batch cut short, after blanks', '\r\n  [', { kind: 'failed', mayHaveRun: true }],
    ['JSON after a byte order mark', `\ufeff${answer(1)}`, { kind: 'failed', mayHaveRun: true }],
    ['not quite JSON', '{"id":1,}', { kind: 'failed', mayHaveRun: true }],
    [
      'JSON cut off at the limit',
      `{"id":1,${' '.repeat(MAX_REFUSAL_BYTES - 8)}`,
      { kind: 'failed', mayHaveRun: true },
    ],
    ['words', 'no such tool {1}', { kind: 'failed', mayHaveRun: false }],
    ['words in brackets', '[404] no such tool', { kind: 'failed', mayHaveRun: false }],
    ['words in braces', "{'detail': 'no such tool'}", { kind: 'failed', mayHaveRun: false }],
    ['a notification', '{"jsonrpc":"2.0","method":"no"}', { kind: 'failed', mayHaveRun: false }],
    ['a page with braces', `<p>{${' '.repeat(MAX_REFUSAL_BYTES)}`, { kind: 'failed', mayHaveRun: false }],
  ])('%s', (_, body, expected) => {
    expect(rule(refusal(404, body))).toMatchObject(expected);
  });

  test.each<[string, string, boolean]>([
    ['application/json', '', true],
    ['application/json', ' \n', true],
    ['', '', true],
    ['text/event-stream', 'data: {', true],
    ['text/html', '', false],
    ['text/plain', '', false],
    ['application/json', 'no', false],
    ['text/html', '{"id":1', true],
  ])('that broke off, of type %j with %j before: may name it: %s', (contentType, body, mayHaveRun) => {
    const cut = refusal(404, body, { contentType, isCut: true });
    expect(rule(cut)).toMatchObject({ kind: 'failed', mayHaveRun });
    const notification = { hadSession: false, id: undefined, now: NOW };
    expect(classifyRejection(cut, notification)).toMatchObject({ kind: 'failed', mayHaveRun: false });
  });

  test.each<[string, boolean]>([
    ['data: {"id":1}\n\n', true],
    ['', false],
  ])('that is an event stream: %j', (body, mayHaveRun) => {
    const stream = refusal(404, body, { contentType: 'text/event-stream' });
    expect(rule(stream)).toMatchObject({ kind: 'failed', mayHaveRun });
  });

  test('a null id is not a missing id', () => {
    expect(rule(refusal(404, '{"id":null}'), { id: '"null"' as MessageId })).toMatchObject({
      kind: 'failed',
      mayHaveRun: false,
    });
  });

  test('a notification has no response', () => {
    const id = { id: undefined };
    expect(classifyRejection(refusal(404, answer(1)), { hadSession: false, now: NOW, ...id }).kind).toBe(
      'failed',
    );
    const bare = { jsonrpc: '2.0', error: { code: 1 } };
    expect(
      classifyRejection(refusal(404, JSON.stringify(bare)), { hadSession: false, now: NOW, ...id }),
    ).toMatchObject({ kind: 'failed', mayHaveRun: false });
  });
});

describe('a lost session', () => {
  const gone = answer(1, { code: -32_001, message: 'Session not found' });
  test.each<[number, boolean, boolean]>([
    [404, true, true],
    [404, false, false],
    [400, true, false],
  ])(
    'for the next message, by the answer to this one: %d, session %s: %s',
    (status, hadSession, expected) => {
      expect(rule(refusal(status, gone), { hadSession })).toMatchObject({
        kind: 'answer',
        sessionIsGone: expected,
      });
    },
  );

  // Sent again it might run twice.
  test.each<[string, Refusal, boolean]>([
    ['404 that names it and the session', refusal(404, '{"id":1,"error":"unknown session"}'), true],
    ['404 that names it', refusal(404, '{"id":1,"error":"gone"}'), false],
    ['404 that was cut short', refusal(404, '{"id":1,'), true],
    ['404 that broke off', refusal(404, '', { isCut: true, contentType: 'application/json' }), true],
    ['400 that names it and the session', refusal(400, '{"id":1,"error":"unknown session"}'), true],
    ['400 that was cut short', refusal(400, '{"id":1,'), false],
    ['400 about the session that was cut short', refusal(400, '{"error":"unknown session",'), true],
    ['409 that names it and the session', refusal(409, '{"id":1,"error":"unknown session"}'), false],
  ])('for the next message, and this one may have run: %s', (_, given, sessionIsGone) => {
    const found = rule(given, { hadSession: true });
    expect(found).toMatchObject({ kind: 'failed', mayHaveRun: true, sessionIsGone });
    expect(endsSession(found)).toBe(sessionIsGone);
    expect(
      'error' in found && found.error.hint === 'The session has ended; the next message opens a new one.',
    ).toBe(sessionIsGone);
    expect(rule(given, { hadSession: false })).toMatchObject({ kind: 'failed', sessionIsGone: false });
  });

  test('of which a page tells that broke off: the message was not run', () => {
    const page = refusal(404, '<html>gone', { isCut: true, contentType: 'text/html' });
    expect(rule(page, { hadSession: true })).toEqual({ kind: 'session-lost' });
    expect(endsSession({ kind: 'session-lost' })).toBe(true);
  });

  test.each<[string, string]>([['a status that is neither 400 nor 404', 'no valid session ID']])(
    '%s says nothing of it',
    (_, body) => {
      expect(rule(refusal(409, body), { hadSession: true }).kind).toBe('failed');
    },
  );

  test.each([
    'no valid session ID',
    'unknown session',
    'No such session',
    'missing: the session',
    'invalid Mcp-Session-Id: session',
    'session x not found',
    'Session has been terminated',
    'session is closed',
    'session is unknown',
    'session is invalid',
    'session not initialized',
    'Server not initialized',
    `session ${'x'.repeat(37)} expired`,
    `expired ${'x'.repeat(9)} session`,
  ])('400: %s', (body) => {
    expect(rule(refusal(400, body), { hadSession: true }).kind).toBe('session-lost');
  });

  test.each([
    `session ${'x'.repeat(40)} expired`,
    `expired ${'x'.repeat(13)} session`,
    'sessions expired',
    'no session',
    `${'x'.repeat(195)} session expired`,
    '{"error":{"message":"no"},"detail":"session expired"}',
  ])('400 for another reason: %s', (body) => {
    expect(rule(refusal(400, body), { hadSession: true }).kind).toBe('failed');
  });

  test('uses the whole body if the message is not a string', () => {
    const body = '{"error":{"message":["session expired"]}}';
    expect(rule(refusal(400, body), { hadSession: true }).kind).toBe('session-lost');
  });
});

describe('the message of a refusal', () => {
  const messageOf = (given: Refusal) => {
    const found = rule(given);
    return 'error' in found ? found.error.message : '';
  };

  test.each<[string, Refusal, string]>([
    ['nothing', refusal(500), 'the server answered with status 500'],
    ['a page', refusal(500, 'oh'), 'the server answered with status 500 and text/plain: "oh"'],
    [
      'a body of no type',
      refusal(500, 'oh', { contentType: '' }),
      'the server answered with status 500 and a body: "oh"',
    ],
    [
      'an error',
      refusal(500, '{"error":{"message":"m"}}'),
      'the server answered with status 500 and the error "m"',
    ],
    [
      'another attempt',
      refusal(500, '', { alsoTried: 'SSE failed too' }),
      'the server answered with status 500; SSE failed too',
    ],
  ])('%s', (_, given, expected) => {
    expect(messageOf(given)).toBe(expected);
  });

  test.each<[number, string | undefined, RegExp | undefined]>([
    [300, 'https://there.example/', /there\.example/],
    [399, 'https://there.example/', /there\.example/],
    [299, 'https://there.example/', undefined],
    [400, 'https://there.example/', undefined],
    [301, undefined, undefined],
    [403, undefined, /not allowed/],
    [404, undefined, /address/],
    [405, undefined, /address/],
    [406, undefined, undefined],
  ])('%d to %s has a hint: %s', (status, location, expected) => {
    const found = rule(refusal(status, '', { location }));
    const hint = 'error' in found ? found.error.hint : 'none was made';
    if (expected === undefined) expect(hint).toBeUndefined();
    else expect(hint).toMatch(expected);
  });

  test.each<[string, object | undefined]>([
    ['{"error":{"code":1}}', { code: 1 }],
    ['{"error":"text"}', undefined],
    ['{"error":null}', undefined],
    ['{"error":7}', undefined],
    ['{}', undefined],
    ['null', undefined],
    ['{', undefined],
  ])('the error in %s', (body, expected) => {
    expect(rpcErrorIn(Buffer.from(body))).toEqual(expected);
  });
});

test('waits for the longest permitted Retry-After', () => {
  expect(retryAfterMs(String(MAX_RETRY_AFTER_MS / 1_000), NOW)).toBe(MAX_RETRY_AFTER_MS);
});

test.each([
  [401, true],
  [429, true],
  [502, true],
  [503, true],
  [504, true],
  [400, false],
  [403, false],
  [404, false],
  [405, false],
  [500, false],
  [501, false],
  [505, false],
])('whether a GET is retried after %d: %s', (status, expected) => {
  expect(mayPass(status)).toBe(expected);
});
