import assert from 'node:assert/strict';
import fc from 'fast-check';
import { accountOf } from '../../src/auth/jwt/account.ts';
import { idTokenAsBearer } from '../../src/auth/token/id-token-as-bearer.ts';
import { headerValue } from '../../src/eras/modern/parameter-headers.ts';
import { plainText, quote } from '../../src/protocol/quote.ts';
import { readRetryAfter } from '../../src/protocol/retry-after.ts';
import { retryAfterMs } from '../../src/remote/http/backoff.ts';
import { createCookies } from '../../src/remote/http/cookies.ts';
import { excerpt } from '../../src/remote/http/refusal.ts';
import { assertShowable, expectedOr } from './properties/failures.ts';
import { property } from './property.ts';
import { hostileText, objectText, oneOfJson, visibleText } from './texts.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

const seconds = fc.nat().map(String);
const date = fc.date({ noInvalidDate: true }).map((at) => at.toUTCString());
const retryAfter = fc.oneof(
  seconds,
  date,
  fc.bigInt({ min: 0n }).map(String),
  fc.double().map(String),
  fc.constantFrom('-1', '1.5', '0x10', '1e3', ' 5 ', '+5', '5, 6', 'Wed', 'soon'),
  hostileText,
);

const claims = objectText({
  exp: oneOfJson(NOW / 1000 + 600, NOW / 1000 - 600, NOW / 1000 + 0.5, 1e308),
  email: hostileText.map((text) => JSON.stringify(text)),
  name: hostileText.map((text) => JSON.stringify(text)),
});
const jwt = fc.oneof(
  claims.map((text) => `x.${Buffer.from(text).toString('base64url')}.y`),
  visibleText,
);

const setCookie = fc.oneof(
  fc
    .tuple(
      fc.oneof(fc.constantFrom('a', 'b'), hostileText),
      hostileText,
      fc.constantFrom('', '; Path=/', '; Max-Age=5', '; Expires=soon', '; Secure', '; __proto__=1'),
    )
    .map(([name, value, rest]) => `${name}=${value}${rest}`),
  hostileText,
);

export const VALUES = [
  property(
    'Retry-After is seconds or a date, read alike in all places, and at most a day',
    retryAfter,
    (value) => {
      const ms = readRetryAfter(value, NOW);
      const isSeconds = /^\s*\d+\s*$/.test(value);
      if (isSeconds) assert.equal(ms, Math.min(Number(value) * 1000, DAY_MS));
      // RFC 9110 §5.6.7: every form of a date begins with the name of a day.
      else if (!/^\s*[A-Za-z]{3}/.test(value)) assert.equal(ms, undefined);
      assert.ok(ms === undefined || (ms >= 0 && ms <= DAY_MS));
      const remote = retryAfterMs(value, NOW);
      assert.equal(remote === undefined, ms === undefined, `remote: ${remote}, auth: ${ms}`);
      if (typeof remote === 'number') assert.equal(remote, ms);
    },
  ),
  property(
    'an ID token is used as it came, until an end that is none of its invention',
    fc.tuple(jwt, fc.option(fc.nat(9_000))),
    async ([idToken, lifetime]) => {
      const answer = { accessToken: 'a', tokenType: 'Bearer' as const, idToken };
      const given = lifetime === null ? answer : { ...answer, expiresInSeconds: lifetime };
      const bearer = await expectedOr(() => idTokenAsBearer(given, NOW));
      assert.equal(bearer?.accessToken, idToken);
      const end = bearer?.expiresInSeconds;
      if (end !== undefined) assert.ok(Number.isSafeInteger(end) && end >= 0 && end <= (lifetime ?? end));
      else assert.equal(lifetime, null);
      assertShowable(accountOf(idToken) ?? '');
    },
  ),
  property(
    'no text of a server reaches a person with more than 200 characters or with one that is not seen',
    hostileText,
    (text) => {
      for (const shown of [plainText(text), quote(text), excerpt(text), excerpt(Buffer.from(text))])
        assertShowable(shown);
      assert.ok([...plainText(text)].length <= 200);
      assert.equal(quote(text).split('"').length, 3);
    },
  ),
  property(
    'a parameter in a header is one line of visible ASCII, and the other side reads what was sent',
    hostileText,
    (text) => {
      const value = headerValue(text);
      assert.match(value, /^[\x20-\x7e]*$/);
      assert.equal(value.trim(), value);
      const [, marked] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
      const read = marked === undefined ? value : Buffer.from(marked, 'base64').toString('utf8');
      assert.equal(read, Buffer.from(text, 'utf8').toString('utf8'));
    },
  ),
  property('no cookie ends the header that it is sent in', fc.array(setCookie, { maxLength: 5 }), (all) => {
    const cookies = createCookies(() => NOW);
    const url = new URL('https://mcp.example/mcp');
    cookies.take(url, all);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    assert.doesNotMatch(cookies.header(url) ?? '', /[\x00-\x1f\x7f]/);
  }),
];
