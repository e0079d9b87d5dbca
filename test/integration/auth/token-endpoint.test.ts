import { describe, expect, test } from 'vitest';
import {
  AnswerTimeoutError,
  InsecureUrlError,
  TokenEndpointError,
} from '../../../src/auth/errors/oauth-errors.ts';
import { AbortedError, describeError } from '../../../src/errors.ts';
import {
  CONFIDENTIAL,
  exchangeAt,
  type RefreshChange,
  refreshAt,
  TOKENS,
} from '../../peers/authorization-servers/token-requests.ts';
import { type Behaviour, json, redirect, reset, silence, text, trickle } from '../../peers/net/web-origin.ts';
import { createOAuthWorld, hurriedClock, lookupFrom, openFetch } from '../../peers/worlds/oauth-world.ts';

async function failure(promise: Promise<unknown>): Promise<TokenEndpointError> {
  const error = await promise.then(
    () => expect.unreachable('there were tokens'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TokenEndpointError);
  return error as TokenEndpointError;
}

async function refused(behaviour: Behaviour, change?: RefreshChange): Promise<TokenEndpointError> {
  await using world = await createOAuthWorld();
  world.authorization.on('/token', behaviour);
  return await failure(refreshAt(world, change));
}

describe('whether the refresh token may have been used', () => {
  test('connection refused: not sent', async () => {
    await using world = await createOAuthWorld();
    const { origin } = world.stranger;
    await world.stranger[Symbol.asyncDispose]();
    const error = await failure(refreshAt(world, { tokenEndpoint: `${origin}/token` }));
    expect(error).toMatchObject({ code: 'token_endpoint', sent: 'no', status: undefined });
    expect(describeError(error)).toContain('ECONNREFUSED');
  });

  test('unresolvable name: not sent', async () => {
    await using world = await createOAuthWorld();
    const { fetch, http } = await openFetch(world.server, {
      lookup: (hostname, _, callback) =>
        callback(Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' }), '', 4),
    });
    const error = await failure(refreshAt(world, { fetch, tokenEndpoint: 'https://as.example/token' }));
    await http.close();
    expect(error.sent).toBe('no');
  });

  test.each([
    ['the connection breaks', reset],
    [
      'it breaks in the answer',
      (_: unknown, response: Parameters<Behaviour>[1]) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{', () => response.socket?.destroy());
      },
    ],
    ['the answer is larger than any', text('x'.repeat(300 * 1024))],
    ['the answer is not what it says', text('x', 200, { 'content-encoding': 'gzip' })],
  ])('%s: perhaps', async (_, behaviour) => {
    expect(await refused(behaviour)).toMatchObject({ sent: 'maybe', status: undefined });
  });

  test.each([
    ['no answer', silence],
    ['an answer that does not end', trickle],
  ])('%s: may have been sent, after 30 s', async (_, behaviour) => {
    const clock = hurriedClock();
    await using world = await createOAuthWorld({ clock });
    world.authorization.on('/token', behaviour);
    const error = await failure(refreshAt(world));
    expect(error.sent).toBe('maybe');
    expect(error.cause).toBeInstanceOf(AnswerTimeoutError);
    expect(clock.asked).toEqual([30_000]);
  });

  test('aborted before it was sent, and after', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', silence);
    const stop = new AbortController();
    const asked = failure(refreshAt(world, { signal: stop.signal }));
    await world.authorization.requests.waitFor(({ path }) => path === '/token');
    stop.abort();
    const after = await asked;
    expect(after.sent).toBe('maybe');
    expect(after.cause).toBeInstanceOf(AbortedError);
    const before = await failure(refreshAt(world, { signal: stop.signal }));
    expect(before.sent).toBe('no');
    expect(world.authorization.requests.entries).toHaveLength(1);
  });

  test.each([
    [400, { error: 'invalid_grant' }, 'invalid_grant'],
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [200, { ok: false, error: 'invalid_refresh_token' }, 'invalid_refresh_token'],
    [500, 'oops', undefined],
    [503, '<h1>later</h1>', undefined],
    [200, '<h1>sign in</h1>', undefined],
    [200, { token_type: 'Bearer' }, undefined],
    [200, { ...TOKENS, access_token: 'a\r\nX: 1' }, undefined],
    [200, { ...TOKENS, token_type: 'DPoP' }, undefined],
    [204, '', undefined],
  ])('answered: %d %j', async (status, body, oauthError) => {
    expect(await refused(json(body, status))).toMatchObject({ sent: 'answered', status, oauthError });
  });
});

describe('redirects (SECURITY.md, attack 13)', () => {
  test.each([301, 302, 303, 307, 308])(
    'treats %d as an answer, and sends the refresh token nowhere else',
    async (status) => {
      await using world = await createOAuthWorld();
      world.stranger.on('/token', json(TOKENS));
      for (const target of [`${world.stranger.origin}/token`, '/elsewhere']) {
        world.authorization.on('/token', redirect(target, status));
        expect(await failure(refreshAt(world))).toMatchObject({ sent: 'answered', status });
        expect(await failure(exchangeAt(world, CONFIDENTIAL))).toMatchObject({ sent: 'answered', status });
      }
      expect(world.stranger.connections()).toBe(0);
      expect(new Set(world.authorization.requests.entries.map(({ path }) => path))).toEqual(
        new Set(['/token']),
      );
    },
  );
});

describe('Retry-After', () => {
  test('in seconds', async () => {
    const error = await refused(json({}, 429, { 'retry-after': '7' }));
    expect(error).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });

  test("as a date, by the server's clock", async () => {
    const headers = {
      date: 'Wed, 21 Oct 2015 07:28:00 GMT',
      'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT',
    };
    expect((await refused(json({}, 503, headers))).retryAfterMs).toBe(9_000);
  });

  test('undefined without the header', async () => {
    expect((await refused(json({}, 503))).retryAfterMs).toBeUndefined();
  });
});

describe('the message of a failure (SECURITY.md, attack 24)', () => {
  test('says where, what and why', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', json({ error: 'invalid_grant', error_description: 'gone' }, 400));
    expect((await failure(refreshAt(world))).message).toBe(
      `the token endpoint of "${world.issuer}" answered 400 invalid_grant: "gone"`,
    );
  });

  test('contains no control character, no unbounded text, and nothing from the request', async () => {
    await using world = await createOAuthWorld();
    world.authorization.on('/token', ({ body, headers }, response) => {
      const { authorization = '' } = headers;
      const sent = new URLSearchParams(body);
      const secrets = [...sent.values(), Buffer.from(authorization.slice(6), 'base64').toString()];
      const said = `${secrets.join(' ')} ${authorization} ${body} \u001b[31m\r\n\u202e${'x'.repeat(10_000)}`;
      const error = `e_${sent.get('refresh_token') ?? sent.get('code')}`;
      json({ error, error_description: said }, 400)({ body, headers, method: '', path: '' }, response);
    });
    for (const methods of [['client_secret_post'], ['client_secret_basic']]) {
      for (const attempt of [
        refreshAt(world, { client: CONFIDENTIAL, tokenEndpointAuthMethods: methods }),
        exchangeAt(world, CONFIDENTIAL, methods),
      ]) {
        const { message } = await failure(attempt);
        expect(message).toContain('answered 400 e_');
        expect(message).not.toMatch(/canary|Y2FuYXJ5|[\p{Cc}\p{Cf}]/u);
        expect(message.length).toBeLessThan(400);
      }
    }
  });
});

describe('where a token request may be sent', () => {
  test.each(['http://as.example/token', 'file:///token', 'https://a:b@as.example/token', 'token', ''])(
    '%j: not sent (SECURITY.md, attacks 12, 37)',
    async (tokenEndpoint) => {
      await using world = await createOAuthWorld();
      const error = await failure(refreshAt(world, { tokenEndpoint }));
      expect(error.sent).toBe('no');
      expect(error.cause).toBeInstanceOf(InsecureUrlError);
    },
  );

  test('a record may point to a private address before the server was reached, and never to link-local', async () => {
    await using world = await createOAuthWorld();
    const server = new URL('https://mcp.example/mcp');
    let address = '127.0.0.1';
    const { fetch, http } = await openFetch(server, { lookup: lookupFrom(() => address) });
    const change = { fetch, tokenEndpoint: 'https://as.example:1/token' };
    expect((await failure(refreshAt(world, change))).cause).toMatchObject({ system: 'ECONNREFUSED' });
    address = '169.254.169.254';
    expect((await failure(refreshAt(world, change))).cause).toMatchObject({ code: 'refused_address' });
    await http.close();
  });
});
