import { expect, test } from 'vitest';
import { redactor } from '../../../../src/redaction/secrets.ts';
import { secretsOfPortable, writePortable } from '../../../../src/store/record/portable.ts';
import type { Client, CredentialRecord, DpopKey, Tokens } from '../../../../src/store/record/record.ts';
import { keepSecretsOf, secretsOf } from '../../../../src/store/record/secrets.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

type Mark = 'public' | 'secret';

/** Every field of a record. A new one does not compile until it is marked here. */
const MARKS = {
  version: 'public',
  revision: 'public',
  family: 'public',
  server: 'public',
  profile: 'public',
  grant: 'public',
  resource: 'public',
  issuer: 'public',
  endpoints: 'public',
  tokenEndpointAuthMethods: 'public',
  client: {
    clientId: 'public',
    clientSecret: 'secret',
    clientSecretExpiresAt: 'public',
    tokenEndpointAuthMethod: 'public',
    redirectUri: 'public',
    source: 'public',
  } satisfies Record<keyof Client, Mark>,
  tokens: {
    accessToken: 'secret',
    tokenType: 'public',
    refreshToken: 'secret',
    obtainedAt: 'public',
    expiresAt: 'public',
    scope: 'public',
    idToken: 'secret',
  } satisfies Record<keyof Tokens, Mark>,
  dpopKey: {
    kty: 'public',
    crv: 'public',
    x: 'public',
    y: 'public',
    d: 'secret',
    alg: 'public',
  } satisfies Record<keyof DpopKey, Mark>,
  withoutDpop: 'public',
  requestedScope: 'public',
  stepUps: 'public',
  // Of a token that no longer works, and a hash.
  deadRefreshTokenHash: 'public',
  lastRefresh: 'public',
} satisfies Record<keyof CredentialRecord, Mark | Record<string, Mark>>;

function markedSecret(record: CredentialRecord): unknown[] {
  return Object.entries<Mark | Record<string, Mark>>(MARKS).flatMap(([name, mark]) => {
    const value = record[name as keyof CredentialRecord];
    if (typeof mark === 'string') return mark === 'secret' ? [value] : [];
    const fields = Object.entries<Mark>(mark).filter(([, each]) => each === 'secret');
    return fields.map(([field]) => (value as unknown as Record<string, unknown> | undefined)?.[field]);
  });
}

test('lists exactly the secret fields of a record', () => {
  const expected = markedSecret(wholeRecord);
  expect(expected).not.toContain(undefined);
  expect(secretsOf(wholeRecord).sort()).toEqual(expected.sort());
});

test('covers an imported credential as fully as its record', () => {
  const credential = JSON.parse(writePortable(wholeRecord));
  expect(secretsOf(secretsOfPortable(credential)).sort()).toEqual(secretsOf(wholeRecord).sort());
});

test('redacts each of them from then on, and no record has none', () => {
  const holder = {
    tokens: { accessToken: 'first kept text', refreshToken: 'second kept text', idToken: 'third kept text' },
    client: { clientSecret: 'fourth kept text' },
    dpopKey: { d: 'fifth kept text' },
  };
  const shown = () => secretsOf(holder).map((secret) => redactor.redact(`it is ${secret}.`));
  keepSecretsOf(undefined);
  expect(shown()).toEqual(secretsOf(holder).map((secret) => `it is ${secret}.`));
  keepSecretsOf(holder);
  expect(shown()).toEqual(Array(5).fill('it is [redacted].'));
});
