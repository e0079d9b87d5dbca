import { describe, expect, it } from 'vitest';
import type { MessageId } from '../../../../src/protocol/message-id.ts';
import { bearerChallenge } from '../../../../src/protocol/www-authenticate.ts';
import { backoffMs, reconnectMs, retryAfterMs } from '../../../../src/remote/http/backoff.ts';
import { BACKOFF_LONGEST_MS, RECONNECT_DEFAULT_MS } from '../../../../src/remote/http/limits.ts';
import { classifyRejection, excerpt, type Refusal } from '../../../../src/remote/http/refusal.ts';

const ID = '1' as MessageId;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const refusal = (status: number, more: Partial<Omit<Refusal, 'body'>> & { body?: string } = {}): Refusal => ({
  status,
  contentType: 'text/plain',
  wwwAuthenticate: undefined,
  retryAfter: undefined,
  location: undefined,
  ...more,
  body: Buffer.from(more.body ?? ''),
});
const rpc = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}';

describe('classifyRejection', () => {
  it.each<[string, Refusal, boolean, object]>([
    ['401', refusal(401, { wwwAuthenticate: { scheme: 'Bearer' } }), true, { kind: 'unauthorized' }],
    [
      '403 for insufficient scope',
      refusal(403, { wwwAuthenticate: bearerChallenge('Bearer error="insufficient_scope", scope="more"') }),
      true,
      { kind: 'scope-needed' },
    ],
    [
      '403 whose description only mentions it',
      refusal(403, {
        wwwAuthenticate: bearerChallenge(
          'Bearer error="invalid_token", error_description="not insufficient_scope"',
        ),
      }),
      true,
      { kind: 'failed', error: { status: 403 } },
    ],
    ['404 in a session', refusal(404), true, { kind: 'session-lost' }],
    ['404 without one', refusal(404), false, { kind: 'failed', error: { status: 404 } }],
    ['429 in seconds', refusal(429, { retryAfter: '2' }), true, { kind: 'retry-after', afterMs: 2000 }],
    [
      '503 by date',
      refusal(503, { retryAfter: 'Thu, 01 Jan 2026 00:00:05 GMT' }),
      true,
      { kind: 'retry-after', afterMs: 5000 },
    ],
    ['503 tomorrow', refusal(503, { retryAfter: '86400' }), true, { kind: 'unreachable' }],
    ['429 without', refusal(429), true, { kind: 'failed' }],
    ['502', refusal(502), true, { kind: 'unreachable' }],
    ...[400, 403, 404, 405, 429, 500, 502, 503].map((status): [string, Refusal, boolean, object] => [
      `${status} with the answer to the message`,
      refusal(status, { body: rpc, retryAfter: '1' }),
      true,
      { kind: 'answer', sessionIsGone: false },
    ]),
    [
      '404 with the answer to the message, which is about the session',
      refusal(404, {
        body: '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Session not found"}}',
      }),
      true,
      { kind: 'answer', sessionIsGone: true },
    ],
    ...['{"id":1,"error":"unknown session"}', '{"jsonrpc":"2.0","id":"1","error":{"code":-32001}}'].map(
      (body): [string, Refusal, boolean, object] => [
        `404 that names the message: ${body}`,
        refusal(404, { body }),
        true,
        { kind: 'failed', mayHaveRun: true, sessionIsGone: true },
      ],
    ),
    [
      '400 with an answer to another message',
      refusal(400, { body: rpc.replace('1', '2') }),
      true,
      { kind: 'failed', error: { message: expect.stringContaining('the error "no"') } },
    ],
    [
      '401 with the answer to the message: the caller has to sign in first',
      refusal(401, { body: rpc }),
      true,
      { kind: 'unauthorized' },
    ],
    [
      '400 with words',
      refusal(400, { body: '{"jsonrpc":"2.0","id":null,"error":{"message":"bad"}}' }),
      true,
      { kind: 'failed' },
    ],
    ...[
      '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
      '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}',
      '{"jsonrpc":"2.0","error":{"code":-32001,"message":"gone"},"id":null}',
      '{"error":"Session abc-123 does not exist"}',
      'Invalid or missing session ID',
      'Bad Request: session expired',
    ].map((body): [string, Refusal, boolean, object] => [
      `400: ${body}`,
      refusal(400, { body }),
      true,
      { kind: 'session-lost' },
    ]),
    ...[
      '{"error":{"code":-32602,"message":"invalid params: session_name"}}',
      'the tool obsession failed',
    ].map((body): [string, Refusal, boolean, object] => [
      `400 of another kind: ${body}`,
      refusal(400, { body }),
      true,
      { kind: 'failed' },
    ]),
    ['400 without a session', refusal(400, { body: 'No valid session ID' }), false, { kind: 'failed' }],
    ['307', refusal(307, { location: 'https://other.example/' }), true, { kind: 'failed' }],
  ])('%s', (_name, given, hadSession, expected) => {
    expect(classifyRejection(given, { hadSession, id: ID, now: NOW })).toMatchObject(expected);
  });

  it('quotes what the server said, and where a redirect leads', () => {
    const found = classifyRejection(refusal(400, { body: '{"error":{"message":"bad\\u001b[31m thing"}}' }), {
      hadSession: false,
      id: ID,
      now: NOW,
    });
    expect(found).toMatchObject({
      error: { message: 'the server answered with status 400 and the error "bad[31m thing"' },
    });
    const moved = classifyRejection(refusal(308, { location: 'https://other.example/' }), {
      hadSession: false,
      id: ID,
      now: NOW,
    });
    expect(moved).toMatchObject({ error: { hint: expect.stringContaining('https://other.example/') } });
  });
});

describe('excerpt', () => {
  it('strips control and bidirectional characters, and cuts', () => {
    expect(excerpt('a\u001b]0;x\u0007\n\u202eb\u2028c')).toBe('"a]0;x b c"');
    expect([...excerpt('😀'.repeat(500))].length).toBeLessThanOrEqual(203);
    expect(excerpt('  \n')).toBe('');
    expect(excerpt('private \u{f0000}, unassigned \u{33c7a}, half \ud800')).toBe(
      '"private , unassigned , half"',
    );
  });
});

describe('pauses', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    ['1', 1000],
    ['61', 'too-long'],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['9'.repeat(400), 'too-long'],
    ['-5', undefined],
    ['1.5', undefined],
  ])('Retry-After %j → %j', (value, expected) => {
    expect(retryAfterMs(value, NOW)).toBe(expected);
  });

  it('back-off doubles within its jitter and stops growing', () => {
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 1))).toEqual([500, 1000, 2000]);
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 0))).toEqual([250, 500, 1000]);
    expect(backoffMs(1000, 1)).toBe(BACKOFF_LONGEST_MS);
  });

  it("clamps a server's reconnection time", () => {
    expect([undefined, 0, 300, 1e12].map((wish) => reconnectMs(wish))).toEqual([
      RECONNECT_DEFAULT_MS,
      50,
      300,
      60_000,
    ]);
  });
});
