import { describe, expect, test } from 'vitest';
import { registeredPort } from '../../../../src/auth/callback/receiver.ts';
import { readSignInRequest, type SignInRequest } from '../../../../src/auth/sign-in-request.ts';
import { oauthDefaults } from '../../../../src/config/oauth-config.ts';

const DEFAULT_CALLBACK = oauthDefaults.callback;

const request: SignInRequest = {
  ...oauthDefaults,
  key: 'ab'.repeat(32),
  nonce: 'n',
  server: 'https://mcp.example/mcp',
  challenge: { scheme: 'Bearer', scope: 'a b' },
  allowHttp: false,
  authTimeoutMs: 300_000,
  openBrowser: true,
  debug: false,
};

describe('the request on stdin', () => {
  test('is read as it was written', () => {
    const full: SignInRequest = {
      ...request,
      resource: 'urn:x',
      scope: 's',
      caFile: '/ca.pem',
      home: '/home/x',
      callback: { host: 'localhost', port: 4711, path: '/back' },
    };
    expect(readSignInRequest(JSON.stringify(full))).toEqual(full);
    expect(readSignInRequest(JSON.stringify(request))).toEqual(request);
  });

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no object', '[]'],
    ['a key that is a path', { ...request, key: '../../etc/passwd' }],
    ['no nonce', { ...request, nonce: '' }],
    ['no server', { ...request, server: 'mcp' }],
    ['a port that is none', { ...request, callback: { ...DEFAULT_CALLBACK, port: 65_536 } }],
    ['a path without a slash', { ...request, callback: { host: 'localhost', path: 'callback' } }],
    ['no time', { ...request, authTimeoutMs: 0 }],
  ])('%s is refused', (_name, value) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => readSignInRequest(text)).toThrow(expect.objectContaining({ code: 'sign_in_failed' }));
  });
});

describe('the port of a registration', () => {
  const fixed = { ...DEFAULT_CALLBACK, port: 4711 };
  test.each([
    ['http://127.0.0.1:4711/callback', DEFAULT_CALLBACK, 4711],
    ['http://127.0.0.1:4711/callback', fixed, 4711],
    ['http://127.0.0.1:4712/callback', fixed, undefined],
    ['http://localhost:4711/callback', DEFAULT_CALLBACK, undefined],
    ['http://127.0.0.1:4711/back', DEFAULT_CALLBACK, undefined],
    ['https://127.0.0.1:4711/callback', DEFAULT_CALLBACK, undefined],
    ['http://127.0.0.1:4711/callback?x', DEFAULT_CALLBACK, undefined],
    ['http://evil.example:4711/callback', DEFAULT_CALLBACK, undefined],
    ['http://127.0.0.1/callback', DEFAULT_CALLBACK, undefined],
    ['nonsense', DEFAULT_CALLBACK, undefined],
  ])('%s for %j is %s', (registered, callback, port) => {
    expect(registeredPort(registered, callback)).toBe(port);
  });
});
