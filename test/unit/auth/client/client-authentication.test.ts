import { selectClientAuthMethod } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { authenticateClient, selectMethod } from '../../../../src/auth/client/client-authentication.ts';
import type { Client } from '../../../../src/store/record/record.ts';

const open: Client = { clientId: 'c', source: 'registered' };
const secret: Client = { ...open, clientSecret: 's' };

describe('the same choice as the SDK', () => {
  const supportedLists = [
    [],
    ['none'],
    ['client_secret_basic'],
    ['client_secret_post'],
    ['client_secret_post', 'client_secret_basic', 'none'],
    ['private_key_jwt'],
    ['private_key_jwt', 'client_secret_post'],
  ];
  const registered = [undefined, 'none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  for (const supported of supportedLists) {
    for (const method of registered) {
      for (const base of [open, secret]) {
        // A secret method without a secret cannot work; the SDK throws there, we identify the client and let the server say no.
        test(`${base.clientSecret ?? 'no secret'}, registered for ${method}, server: [${supported}]`, () => {
          const client = method === undefined ? base : { ...base, tokenEndpointAuthMethod: method };
          const theirs = selectClientAuthMethod(
            {
              client_id: client.clientId,
              ...(client.clientSecret === undefined ? {} : { client_secret: client.clientSecret }),
              ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
            },
            supported,
          );
          expect(selectMethod(client, supported)).toBe(theirs);
        });
      }
    }
  }
});

test('how each method is sent', () => {
  expect(authenticateClient(open, undefined)).toEqual({ headers: {}, parameters: { client_id: 'c' } });
  expect(authenticateClient(secret, ['client_secret_post'])).toEqual({
    headers: {},
    parameters: { client_id: 'c', client_secret: 's' },
  });
  expect(authenticateClient(secret, undefined)).toEqual({
    headers: { authorization: `Basic ${btoa('c:s')}` },
    parameters: {},
  });
});

test('Basic is form-encoded first (RFC 6749 §2.3.1)', () => {
  const client: Client = { clientId: 'https://c.example/x?y=1', clientSecret: 'a:b%+ ü', source: 'static' };
  const { headers } = authenticateClient(client, ['client_secret_basic']);
  const [id, password] = atob((headers.authorization ?? '').slice(6)).split(':');
  expect(id).toBe('https%3A%2F%2Fc.example%2Fx%3Fy%3D1');
  expect(password).toBe('a%3Ab%25%2B+%C3%BC');
});

test('registered for a secret that was never issued: the client is named all the same', () => {
  const client: Client = { ...open, tokenEndpointAuthMethod: 'client_secret_basic' };
  expect(authenticateClient(client, undefined)).toEqual({ headers: {}, parameters: { client_id: 'c' } });
});
