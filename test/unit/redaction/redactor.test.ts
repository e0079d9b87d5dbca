import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../../src/redaction/redactor.ts';

const CANARY = 'c4n/ry+s ecret"=';

describe('redacts a registered secret in every spelling', () => {
  const redactor = createRedactor();
  redactor.add(CANARY);
  test.each([
    CANARY,
    encodeURIComponent(CANARY),
    encodeURIComponent(CANARY).toLowerCase().replace('c4n', 'c4n'),
    encodeURIComponent(CANARY).replaceAll('%20', '+'),
    Buffer.from(CANARY).toString('base64'),
    Buffer.from(CANARY).toString('base64url'),
    JSON.stringify(CANARY).slice(1, -1),
  ])('%s', (spelling) => {
    expect(redactor.redactRegistered(`a ${spelling} b`)).toMatch(/^a \[redacted\]=* b$/);
  });

  test('does not redact short words', () => {
    redactor.add('true');
    expect(redactor.redact('it is true')).toBe('it is true');
  });

  test('keeps the newest of many', () => {
    const many = createRedactor();
    for (let n = 0; n < 5000; n++) many.add(`token-number-${n}`);
    expect(many.redact('x token-number-4999 y')).toBe('x [redacted] y');
  });

  test.each([
    ['Bearer abcdef-123', 'abcdef-123'],
    ['Token abcdef-123', 'abcdef-123'],
    [`Basic ${Buffer.from('me:hunter-2').toString('base64')}`, 'hunter-2'],
  ])('redacts the value of a header, %s: the part after the scheme too', (value, part) => {
    const headers = createRedactor();
    headers.add(value);
    expect(headers.redactRegistered(`a ${part} b`)).toBe('a [redacted] b');
  });

  test('accepts a lone surrogate', () => {
    expect(() => createRedactor().add('secret\ud800text')).not.toThrow();
  });
});

describe('values that look like secrets', () => {
  const { redact, redactForPerson } = createRedactor();
  test.each([
    ['Authorization: Bearer abc.def-ghi_~+/==', 'Authorization: Bearer [redacted]'],
    ['authorization: bearer abc', 'authorization: bearer [redacted]'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['Authorization: DPoP abc.def', 'Authorization: DPoP [redacted]'],
    ['mcp-drawbridge login URL --dpop always', 'mcp-drawbridge login URL --dpop always'],
    [
      '{"access_token":"abc","token_type":"Bearer","expires_in":3600}',
      '{"access_token":"[redacted]","token_type":"Bearer","expires_in":3600}',
    ],
    ['{"refresh_token" : "a\\"bc" }', '{"refresh_token" : "[redacted]" }'],
    ['"{\\"id_token\\":\\"abc\\"}"', '"{\\"id_token\\":\\"[redacted]\\"}"'],
    ['{"client_secret":"abc","client_id":"id"}', '{"client_secret":"[redacted]","client_id":"id"}'],
    [
      'grant_type=authorization_code&code=abc&code_verifier=def',
      'grant_type=authorization_code&code=[redacted]&code_verifier=[redacted]',
    ],
    [
      'https://a/cb?code=abc&state=def&iss=x#frag',
      'https://a/cb?code=[redacted]&state=[redacted]&iss=x#frag',
    ],
    ['https://a/mcp?api_key=abc', 'https://a/mcp?api_key=[redacted]'],
    ['https://a/mcp?key=abc', 'https://a/mcp?key=[redacted]'],
    ['client_assertion=abc.def', 'client_assertion=[redacted]'],
    ['{"state":"abc"}', '{"state":"[redacted]"}'],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted);
  });

  test.each([
    'Bearer resource_metadata="https://a/b", scope="x"',
    '{"error":{"code":-32000,"message":"no"}}',
    '{"token_endpoint":"https://a/token","token_endpoint_auth_methods_supported":["none"]}',
    'https://a/authorize?response_type=code&code_challenge=x&code_challenge_method=S256',
    'tokens are fine, the code is fine',
    'https://a/mcp?api_key=…&mode=…',
  ])('%s stays', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('shows a person the full address with its state', () => {
    const address = 'https://a/authorize?client_id=x&state=abc&code_challenge=y';
    expect(redactForPerson(`open ${address}`)).toBe(`open ${address}`);
    expect(redactForPerson('http://127.0.0.1/callback?code=abc&state=d')).toContain('code=[redacted]');
  });
});

test.each([
  ['under six characters: a word', 'de-DE', 'de-DE'],
  ['six: a secret', 'hunter', '[redacted]'],
])('%s', (_, secret, expected) => {
  const redactor = createRedactor();
  redactor.add(secret);
  expect(redactor.redact(`a ${secret} b`)).toBe(`a ${expected} b`);
});
