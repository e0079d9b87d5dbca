import assert from 'node:assert/strict';
import fc from 'fast-check';
import { registerClient } from '../../../src/auth/client/dynamic-registration.ts';
import { defaultEndpoints } from '../../../src/auth/discovery/metadata.ts';
import { TokenEndpointError } from '../../../src/auth/errors/oauth-errors.ts';
import { readDeviceAuthorization } from '../../../src/auth/grant/device-code.ts';
import { refreshedRecord } from '../../../src/auth/refresh/decisions.ts';
import { refresh } from '../../../src/auth/token/token-request.ts';
import { readTokenAnswer } from '../../../src/auth/token/token-response.ts';
import { parseRecord, serializeRecord } from '../../../src/store/record/record-schema.ts';
import { toldFetch } from '../../peers/net/told-http.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { property } from '../property.ts';
import { addressText, hostileText, jsonText, objectText, oneOfJson } from '../texts.ts';
import { assertExpected, expectedOr } from './failures.ts';

const SERVER = new URL('https://mcp.example/mcp');
const NOW = 1_800_000_000_000;
/** Ten years. */
const MAX_LIFETIME_S = 315_360_000;

const status = fc.constantFrom(200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 422, 429, 500, 503);
const text = (fitting: string) =>
  fc.oneof(
    { arbitrary: oneOfJson(fitting), weight: 6 },
    { arbitrary: hostileText.map((one) => JSON.stringify(one)), weight: 2 },
  );
const number = fc.oneof(
  { arbitrary: fc.constantFrom('3600', '"3600"', '0', '5', '61', '-1', '1e99', '1e999'), weight: 2 },
  { arbitrary: jsonText, weight: 1 },
);

/** What cannot be made a text. */
const TEXTLESS = '{"toString":1,"valueOf":1}';

const tokenJson = objectText({
  access_token: text('new-access-token'),
  token_type: fc.oneof(
    { arbitrary: oneOfJson('Bearer', 'bearer'), weight: 12 },
    { arbitrary: fc.constant(TEXTLESS), weight: 1 },
    { arbitrary: jsonText, weight: 1 },
  ),
  expires_in: number,
  refresh_token: text('new-refresh-token'),
  scope: text('a b'),
  id_token: text('x.y.z'),
});
const form = fc
  .array(
    fc.tuple(
      fc.constantFrom('access_token', 'token_type', 'expires_in', 'refresh_token', 'error'),
      hostileText,
    ),
    { maxLength: 5 },
  )
  .map((pairs) => new URLSearchParams(pairs).toString());
const errorJson = objectText({
  error: text('invalid_grant'),
  error_description: text('gone'),
  message: text('gone'),
  errors: jsonText,
});
const tokenText = fc.oneof(
  { arbitrary: tokenJson, weight: 3 },
  { arbitrary: form, weight: 1 },
  { arbitrary: errorJson, weight: 1 },
);

/** Long enough to be taken out of a server's words. */
const SECRET = 'refresh-token-canary';
const echo = fc
  .tuple(hostileText, hostileText, fc.constantFrom('error', 'error_description', 'message', 'token_type'))
  .map(([before, after, name]) =>
    JSON.stringify({ access_token: 'a', [name]: `${before}${SECRET}${after}` }),
  );

const redeem = (answer: { readonly status: number; readonly body: string }) =>
  refresh({
    fetch: toldFetch(SERVER, () => answer),
    issuer: 'https://as.example',
    tokenEndpoint: 'https://as.example/token',
    client: { clientId: 'client-1', source: 'registered' },
    refreshToken: SECRET,
    signal: new AbortController().signal,
  });

const registrationText = objectText({
  client_id: text('client-9'),
  client_secret: text('secret-9'),
  client_secret_expires_at: number,
  token_endpoint_auth_method: text('client_secret_basic'),
});

const deviceText = objectText({
  device_code: text('device-1'),
  user_code: text('ABCD-EFGH'),
  verification_uri: fc.oneof(
    oneOfJson('https://as.example/device'),
    addressText.map((one) => JSON.stringify(one)),
  ),
  verification_uri_complete: fc.oneof(
    { arbitrary: oneOfJson('https://as.example/device?user_code=ABCD'), weight: 3 },
    { arbitrary: addressText.map((one) => JSON.stringify(one)), weight: 1 },
  ),
  expires_in: number,
  interval: number,
});

export const ANSWERS = [
  property(
    'a token answer is tokens that a header and the store can hold, or none',
    fc.tuple(status, tokenText),
    ([code, body]) => {
      const read = readTokenAnswer(code, body);
      if (read.kind !== 'tokens') return;
      const { accessToken, refreshToken, expiresInSeconds } = read.answer;
      for (const token of [accessToken, refreshToken ?? 'none', read.answer.idToken ?? 'none']) {
        assert.match(token, /^[\x21-\x7e]+$/);
      }
      assert.ok(
        body.trim().startsWith('{') === false || Object.values(JSON.parse(body)).includes(accessToken),
      );
      if (expiresInSeconds !== undefined) {
        assert.ok(
          Number.isInteger(expiresInSeconds) && expiresInSeconds >= 1 && expiresInSeconds <= MAX_LIFETIME_S,
        );
      }
      const record = refreshedRecord(wholeRecord, read.answer, NOW);
      assert.equal(record.tokens?.refreshToken, refreshToken ?? wholeRecord.tokens?.refreshToken);
      const kept = parseRecord(serializeRecord({ ...record, version: 1, revision: 8 }));
      assert.deepEqual(kept, { kind: 'record', record: { ...record, version: 1, revision: 8 } });
    },
  ),
  property(
    'a failed refresh is told with an error of ours that carries no secret',
    fc.tuple(status, fc.oneof(tokenText, echo)),
    async ([code, body]) => {
      try {
        await redeem({ status: code, body });
      } catch (error) {
        const failure = assertExpected(error);
        assert.ok(failure instanceof TokenEndpointError);
        assert.equal(failure.sent, 'answered');
        assert.ok(!failure.message.includes(SECRET), 'the refresh token came back in the message');
      }
    },
  ),
  property(
    'a registration is a client that the store can hold, or an error of ours',
    fc.tuple(fc.oneof(fc.constant(201), status), registrationText),
    async ([code, body]) => {
      const metadata = defaultEndpoints(new URL('https://as.example'));
      const redirectUri = 'http://127.0.0.1:4711/callback';
      const fetch = toldFetch(SERVER, () => ({ status: code, body }));
      const client = await expectedOr(() => registerClient({ fetch, metadata, redirectUri }));
      if (client === undefined) return;
      assert.ok(code === 200 || code === 201);
      assert.equal(client.clientId, JSON.parse(body).client_id);
      const record = { ...wholeRecord, client };
      assert.deepEqual(parseRecord(serializeRecord(record)), { kind: 'record', record });
    },
    'dear',
  ),
  property('a device authorization keeps the limits of polling, or is none', deviceText, async (body) => {
    const { policy } = toldFetch(SERVER, () => ({ status: 200, body }));
    const device = await expectedOr(() => readDeviceAuthorization(body, { policy }));
    if (device === undefined) return;
    assert.ok(device.intervalS >= 5 && device.intervalS <= 60, `interval ${device.intervalS}`);
    assert.ok(device.lifetimeS >= 1 && device.lifetimeS <= 900, `lifetime ${device.lifetimeS}`);
    assert.match(device.userCode, /^[\x21-\x7e][\x20-\x7e]{0,63}$/);
    assert.match(device.address, /^https:\/\/[\x21-\x7e]+$/);
  }),
];
