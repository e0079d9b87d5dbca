import { describe, expect, test } from 'vitest';
import { admitResource, querySecrets } from '../../../src/redaction/query-secrets.ts';
import { keepSecret, redactor } from '../../../src/redaction/secrets.ts';

describe('which parts of an address are secret', () => {
  test.each([
    ['https://a.example/mcp', []],
    ['https://a.example/mcp?', []],
    ['https://a.example/mcp?a', ['a']],
    ['https://a.example/mcp?k=abcdefghijklmno', ['k=abcdefghijklmno']],
    ['https://a.example/mcp?k=abcdefghijklmnop', ['k=abcdefghijklmnop', 'abcdefghijklmnop']],
    ['https://a.example/mcp?k=ABCDEFGHIJ', ['k=ABCDEFGHIJ']],
    ['https://a.example/mcp?k=1234567', ['k=1234567']],
    ['https://a.example/mcp?k=12345678', ['k=12345678', '12345678']],
    ['https://a.example/mcp?k=abcd-efgh', ['k=abcd-efgh', 'abcd-efgh']],
    ['https://a.example/mcp?api_key=tvly-1234567', ['api_key=tvly-1234567', 'tvly-1234567']],
    ['https://a.example/mcp?mode=server&read_only=true', ['mode=server&read_only=true']],
    ['https://a.example/mcp?1234-abcd-5678', ['1234-abcd-5678']],
    ['https://a.example/mcp?k=a%2Fb%2Bc%3Dd1', ['k=a%2Fb%2Bc%3Dd1', 'a/b+c=d1']],
  ])('%s', (address, secrets) => {
    expect(querySecrets(new URL(address))).toEqual(secrets);
  });

  test('a query that the server names as part of its resource is not secret', () => {
    const server = 'https://a.example/mcp?project=abcdefgh-1234';
    for (const each of querySecrets(new URL(server))) keepSecret(each, 'setting');
    const address = `https://as.example/authorize?client_id=x&resource=${encodeURIComponent(server)}`;
    expect(redactor.redactForPerson(address)).toContain('[redacted]');
    admitResource('no address');
    admitResource('https://as.example/authorize?resource=urn-without-scheme');
    admitResource(address);
    expect(redactor.redactForPerson(address)).toBe(address);
  });
});
