import { describe, expect, test } from 'vitest';
import { ANY_TYPES, BOUND_TYPES, readTokenAnswer } from '../../../../src/auth/token/token-response.ts';

const JSON_START = { access_token: 'at', token_type: 'Bearer' };

function read(fields: Record<string, unknown>, status = 200) {
  return readTokenAnswer(status, JSON.stringify(fields));
}
function tokens(fields: Record<string, unknown>) {
  const result = read({ ...JSON_START, ...fields });
  return result.kind === 'tokens' ? result.answer : result;
}

test('all fields of RFC 6749 §5.1 and OpenID Connect', () => {
  expect(
    tokens({ expires_in: 3600, refresh_token: 'rt', scope: 'a b', id_token: 'x.y.z', extra: {} }),
  ).toEqual({
    accessToken: 'at',
    tokenType: 'Bearer',
    expiresInSeconds: 3600,
    refreshToken: 'rt',
    scope: 'a b',
    idToken: 'x.y.z',
  });
  expect(tokens({})).toEqual({ accessToken: 'at', tokenType: 'Bearer' });
});

describe('expires_in (SECURITY.md, attack 25)', () => {
  const tenYears = 315_360_000;
  test.each([
    [3600, 3600],
    ['3600', 3600],
    [' 3600 ', 3600],
    [3599.9, 3599],
    [1e99, tenYears],
    ['1e99', tenYears],
    ['Infinity', tenYears],
    [tenYears + 1, tenYears],
    [0, undefined],
    ['0', undefined],
    [0.4, undefined],
    [-1, undefined],
    ['-1e99', undefined],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['NaN', undefined],
    [true, undefined],
    [[3600], undefined],
    [{ valueOf: 1 }, undefined],
  ])('%j → %j', (value, expected) => {
    expect(tokens({ expires_in: value })).toMatchObject({ accessToken: 'at' });
    expect((tokens({ expires_in: value }) as { expiresInSeconds?: number }).expiresInSeconds).toBe(expected);
  });

  test('1e999 does not survive JSON', () => {
    const text = '{"access_token":"at","token_type":"bearer","expires_in":1e999}';
    expect(readTokenAnswer(200, text)).toMatchObject({ answer: { expiresInSeconds: tenYears } });
  });
});

describe('tokens that would break a header', () => {
  test.each([
    'a\r\nX-Evil: 1',
    'a\nb',
    'a b',
    ' a',
    'a\t',
    'a\u0000',
    'ä',
    'a\u007f',
    'x'.repeat(48 * 1024 + 1),
  ])('%#', (token) => {
    expect(read({ ...JSON_START, access_token: token }).kind).toBe('unusable');
    expect(read({ ...JSON_START, refresh_token: token }).kind).toBe('unusable');
    expect(tokens({ id_token: token })).toEqual({ accessToken: 'at', tokenType: 'Bearer' });
  });

  test.each([undefined, null, '', 1, {}, ['at']])('no access token: %j', (token) => {
    expect(read({ ...JSON_START, access_token: token })).toMatchObject({
      kind: 'unusable',
      reason: expect.stringContaining('without an access token'),
    });
  });

  test('ignores an empty or invalid refresh token', () => {
    for (const token of ['', null, 1, {}])
      expect(tokens({ refresh_token: token })).not.toHaveProperty('refreshToken');
  });
});

test.each([
  ['Bearer', true],
  ['bearer', true],
  ['BEARER', true],
  ['user', true],
  [undefined, true],
  [null, true],
  ['', true],
  ['DPoP', false],
  ['mac', false],
  ['N_A', false],
  ['Bearer x', false],
  [1, false],
])('token_type %j', (type, usable) => {
  const result = read({ access_token: 'at', token_type: type });
  if (usable) expect(result).toMatchObject({ kind: 'tokens', answer: { tokenType: 'Bearer' } });
  else expect(result).toMatchObject({ kind: 'unusable', reason: expect.stringContaining(String(type)) });
});

test.each([
  ['DPoP', 'DPoP', 'DPoP'],
  ['dpop', 'DPoP', 'DPoP'],
  ['Bearer', 'Bearer', undefined],
  [undefined, 'Bearer', undefined],
  ['mac', undefined, undefined],
])(
  'token_type %j in response to a proof: %s, or %s where nothing else is accepted (RFC 9449 §5)',
  (type, any, bound) => {
    const body = JSON.stringify({ access_token: 'at', token_type: type });
    const typeOf = (types: RegExp) => {
      const found = readTokenAnswer(200, body, types);
      return found.kind === 'tokens' ? found.answer.tokenType : undefined;
    };
    expect(typeOf(ANY_TYPES)).toBe(any);
    expect(typeOf(BOUND_TYPES)).toBe(bound);
  },
);

test.each([
  ['no text at all', '{"toString":1,"valueOf":1}'],
  ['nested deeper than the stack', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
])('a token_type that is %s is unusable', (_, type) => {
  const text = `{"access_token":"at","token_type":${type}}`;
  expect(readTokenAnswer(200, text)).toMatchObject({ kind: 'unusable' });
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['a  b a', 'a b'],
  [['a', 'b', 1], 'a b'],
  [{ a: 1 }, undefined],
  ['a\r\nb "', 'a b'],
])('scope %j → %j', (scope, expected) => {
  expect((tokens({ scope }) as { scope?: string }).scope).toBe(expected);
});

test('the form that GitHub sends', () => {
  const text = 'access_token=gho_1&expires_in=28800&refresh_token=ghr_1&scope=repo%20user&token_type=bearer';
  expect(readTokenAnswer(200, text)).toEqual({
    kind: 'tokens',
    answer: {
      accessToken: 'gho_1',
      tokenType: 'Bearer',
      expiresInSeconds: 28_800,
      refreshToken: 'ghr_1',
      scope: 'repo user',
    },
  });
  expect(readTokenAnswer(200, 'error=bad_refresh_token&error_description=it+is+gone')).toEqual({
    kind: 'error',
    oauthError: 'bad_refresh_token',
    description: 'it is gone',
  });
});

describe('errors in any form', () => {
  test.each([
    ['RFC 6749', 400, { error: 'invalid_grant', error_description: 'gone' }, 'invalid_grant', 'gone'],
    ['without a description', 400, { error: 'invalid_grant' }, 'invalid_grant', undefined],
    ['Slack: 200, ok is false', 200, { ok: false, error: 'invalid_code' }, 'invalid_code', undefined],
    ['Slack: 200, ok is false, nothing else', 200, { ok: false }, undefined, undefined],
    ['an error beside a token', 200, { ...JSON_START, error: 'x' }, 'x', undefined],
    ['a token with 400', 400, JSON_START, undefined, undefined],
    ['Supabase', 422, { code: 422, msg: 'client not found' }, undefined, 'client not found'],
    ['Datadog', 403, { errors: ['Forbidden', 'really'] }, undefined, 'Forbidden'],
    ['nested', 400, { error: { code: 7, message: 'no' } }, undefined, 'no'],
    ['a sentence as code', 400, { error: 'it went wrong' }, undefined, 'it went wrong'],
    ['a code with control bytes', 400, { error: 'x\u001b[2J' }, undefined, 'x\u001b[2J'],
    ['an empty object', 500, {}, undefined, undefined],
  ])('%s', (_, status, fields, oauthError, description) => {
    expect(read(fields, status)).toEqual({
      kind: 'error',
      ...(oauthError === undefined ? {} : { oauthError }),
      ...(description === undefined ? {} : { description }),
    });
  });

  test('ignores error: null, and an empty error, next to a token', () => {
    expect(tokens({ error: null, ok: true })).toMatchObject({ accessToken: 'at' });
    expect(tokens({ error: '' })).toMatchObject({ accessToken: 'at' });
  });

  test('does not take a number for a code, nor null for a description', () => {
    expect(read({ error: 7, error_description: null }, 400)).toStrictEqual({ kind: 'error' });
  });
});

test.each([
  '',
  'OK',
  '<!doctype html><a href="?access_token=x">',
  '[1]',
  '{"access_token":',
  'null',
  '"at"',
  '{',
])('neither JSON nor a form: %j', (text) => {
  expect(readTokenAnswer(200, text)).toMatchObject({ kind: 'unusable' });
  expect(readTokenAnswer(502, text)).toMatchObject({ kind: 'unusable' });
});

test('treats __proto__ like any other field', () => {
  const text = '{"__proto__":{"access_token":"evil","ok":false},"access_token":"at"}';
  expect(readTokenAnswer(200, text)).toMatchObject({ kind: 'tokens', answer: { accessToken: 'at' } });
  expect(readTokenAnswer(200, '{"__proto__":{"access_token":"evil"}}').kind).toBe('unusable');
});

test.each([
  [255, 'tokens'],
  [256, 'unusable'],
  [200_000, 'unusable'],
])('a response with %d levels below its own: %s (SECURITY.md, attack 17)', (depth, kind) => {
  const text = `{"access_token":"at","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  expect(readTokenAnswer(200, text).kind).toBe(kind);
});

describe('limits', () => {
  const body = JSON.stringify(JSON_START);

  test.each([
    [199, 'error'],
    [200, 'tokens'],
    [299, 'tokens'],
    [300, 'error'],
  ])('status %d: %s', (status, kind) => {
    expect(readTokenAnswer(status, body).kind).toBe(kind);
  });

  test('the longest token', () => {
    const longest = 'x'.repeat(48 * 1024);
    expect(tokens({ access_token: longest, refresh_token: longest })).toMatchObject({
      refreshToken: longest,
    });
  });

  test('white space around JSON and forms', () => {
    expect(readTokenAnswer(200, ` \n${body}\r\n`).kind).toBe('tokens');
    expect(readTokenAnswer(200, ' access_token=at \n').kind).toBe('tokens');
  });

  test.each(['1a=b', 'access token=at', 'x=<b>', 'x=a b', '=x', 'x'])('%j is not a form', (text) => {
    expect(readTokenAnswer(200, text)).toEqual({
      kind: 'unusable',
      reason: 'an answer that is neither JSON nor a form',
    });
  });

  test.each([
    ['x'.repeat(100), 'x'.repeat(100), undefined],
    ['x'.repeat(101), undefined, 'x'.repeat(101)],
    ['a"b', undefined, 'a"b'],
    ['a\\b', undefined, 'a\\b'],
    [' a', undefined, ' a'],
    ['a ', undefined, 'a '],
  ])('the error %j has the code %s', (error, oauthError, description) => {
    const found = read({ error }, 400);
    expect(found).toStrictEqual({
      kind: 'error',
      ...(oauthError === undefined ? {} : { oauthError }),
      ...(description === undefined ? {} : { description }),
    });
  });

  test.each(['error_description', 'message', 'msg', 'errors', 'detail'])(
    '%s holds the description',
    (name) => {
      expect(read({ error: 'x', [name]: 'why' }, 400)).toEqual({
        kind: 'error',
        oauthError: 'x',
        description: 'why',
      });
      expect(read({ error: 'x', [name]: [1, '', 'why'] }, 400)).toMatchObject({ description: 'why' });
    },
  );

  test('the first of several descriptions counts', () => {
    const all = { error_description: '', message: 'second', msg: 'third' };
    expect(read(all, 400)).toEqual({ kind: 'error', description: 'second' });
  });

  test.each(['xbearer', 'bearerx', 'xuser', 'users'])('%s is not a token type', (token_type) => {
    expect(read({ ...JSON_START, token_type }).kind).toBe('unusable');
    expect(readTokenAnswer(200, JSON.stringify({ ...JSON_START, token_type }), ANY_TYPES).kind).toBe(
      'unusable',
    );
  });

  test.each(['xdpop', 'dpopx'])('%s is not bound', (token_type) => {
    const text = JSON.stringify({ ...JSON_START, token_type });
    expect(readTokenAnswer(200, text, BOUND_TYPES).kind).toBe('unusable');
    expect(readTokenAnswer(200, text, /./)).toMatchObject({ answer: { tokenType: 'Bearer' } });
  });

  test.each([null, ''])('a type of %j is a bearer token, and not bound', (token_type) => {
    const text = JSON.stringify({ access_token: 'at', token_type });
    expect(readTokenAnswer(200, text, ANY_TYPES)).toMatchObject({ answer: { tokenType: 'Bearer' } });
    expect(readTokenAnswer(200, text, BOUND_TYPES).kind).toBe('unusable');
  });

  test('names the type of an unusable token', () => {
    expect(read({ ...JSON_START, token_type: { a: 1 } })).toMatchObject({
      reason: 'a token of the type "object", which this program cannot use',
    });
    expect(read({ ...JSON_START, token_type: 7 })).toMatchObject({
      reason: 'a token of the type "7", which this program cannot use',
    });
  });

  test.each([
    ['x', 'x'],
    ['', undefined],
    [7, undefined],
  ])('issued_token_type %j', (issued_token_type, expected) => {
    expect(tokens({ issued_token_type })).toStrictEqual({
      accessToken: 'at',
      tokenType: 'Bearer',
      ...(expected === undefined ? {} : { issuedTokenType: expected }),
    });
  });

  test('ignores a lifetime of blanks, and keeps one of a second', () => {
    expect(tokens({ expires_in: '  ' })).toStrictEqual({ accessToken: 'at', tokenType: 'Bearer' });
    expect(tokens({ expires_in: 1 })).toMatchObject({ expiresInSeconds: 1 });
  });
});
