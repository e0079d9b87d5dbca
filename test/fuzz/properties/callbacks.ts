import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type CallbackExpectation,
  validateAuthorizationResponse,
} from '../../../src/auth/callback/authorization-response.ts';
import { pastedQuery } from '../../../src/auth/callback/pasted.ts';
import { property } from '../property.ts';
import { hostileText } from '../texts.ts';

const STATE = 'R2x0nqYb7mP4kVd9sT1wLc8hZf3gJe6u';
const ISSUER = 'https://as.example/tenant';

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  state: [STATE, STATE, STATE, `${STATE}x`, STATE.toLowerCase(), ''],
  iss: [ISSUER, ISSUER, `${ISSUER}/`, 'https://evil.example', ''],
  code: ['code-1', 'code-1', 'a b+c/%', ''],
  error: ['access_denied', 'server_error', ''],
  error_description: ['No.', '<script>'],
};

const pair = fc.oneof(
  {
    arbitrary: fc
      .constantFrom('state', 'state', 'code', 'code', 'iss', 'error', 'error_description')
      .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...(CHOICES[name] ?? [])))),
    weight: 8,
  },
  {
    arbitrary: fc.tuple(
      fc.constantFrom('STATE', 'state[]', 'state ', '__proto__', 'code', 'iss', 'session_state'),
      hostileText.map((text) => text.replace(/\p{Cs}/gu, '?')),
    ),
    weight: 1,
  },
);
const right: readonly [string, string][] = [
  ['state', STATE],
  ['code', 'code-1'],
  ['iss', ISSUER],
];
/** Most of the right answer, in any order, and perhaps something else beside it. */
const pairs = fc
  .tuple(
    fc.subarray([...right], { minLength: 1 }),
    fc.oneof(fc.constant([]), fc.array(pair, { maxLength: 3 })),
  )
  .chain(([some, more]) => fc.shuffledSubarray([...some, ...more], { minLength: some.length + more.length }));

/** The three ways to write a text into a query that are in use, and the one that nobody needs. */
const ENCODINGS: readonly ((text: string) => string)[] = [
  (text) => new URLSearchParams([['', text]]).toString().slice(1),
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll('%20', '+'),
  (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
];
const encoding = fc.constantFrom(...ENCODINGS);

const callback = fc.record({ pairs, encode: encoding, issParameterSupported: fc.boolean() });

export const CALLBACKS = [
  property(
    'a callback gives its code exactly if state, issuer and the code itself are right',
    callback,
    (input) => {
      const expectation: CallbackExpectation = {
        state: STATE,
        issuer: ISSUER,
        issParameterSupported: input.issParameterSupported,
      };
      const query = input.pairs.map((one) => one.map(input.encode).join('=')).join('&');
      const all = (name: string) => input.pairs.filter(([one]) => one === name).map(([, value]) => value);
      const isOurs = all('state').length === 1 && all('state')[0] === STATE;
      const issuers = all('iss');
      // RFC 9207 §2.4.
      const isFromIssuer =
        issuers.length === 0 ? !input.issParameterSupported : issuers.length === 1 && issuers[0] === ISSUER;
      const [code] = all('code');
      const isCode =
        isOurs && isFromIssuer && all('error').length === 0 && all('code').length === 1 && code !== '';

      const judgement = validateAuthorizationResponse(query, expectation);
      assert.equal(judgement.kind === 'foreign', !isOurs);
      if (isOurs) assert.equal(judgement.kind === 'mix-up', !isFromIssuer);
      assert.equal(judgement.kind === 'code', isCode);
      if (judgement.kind === 'code') assert.equal(judgement.code, code);
    },
  ),
  property(
    'no query gives a code without the state',
    fc.oneof(hostileText, fc.webQueryParameters()),
    (query) => {
      const judgement = validateAuthorizationResponse(query, {
        state: STATE,
        issuer: ISSUER,
        issParameterSupported: false,
      });
      assert.equal(judgement.kind, 'foreign');
    },
  ),
  property(
    'what a person pastes is the query of an address, or nothing',
    fc.tuple(pairs, encoding, hostileText),
    ([all, encode, text]) => {
      const query = all.map((one) => one.map(encode).join('=')).join('&');
      const isAnswer = new URLSearchParams(query).has('state');
      assert.equal(
        pastedQuery(` http://127.0.0.1:4711/callback?${query}#x\r\n`),
        isAnswer ? query : undefined,
      );
      const read = pastedQuery(text);
      if (read !== undefined) assert.ok(text.includes(read) && read.includes('state'));
    },
  ),
];
