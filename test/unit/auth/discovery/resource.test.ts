import { describe, expect, test } from 'vitest';
import { checkResource } from '../../../../src/auth/discovery/resource.ts';
import { ResourceMismatchError } from '../../../../src/auth/errors/oauth-errors.ts';

const server = 'https://mcp.example/a/mcp';

describe('the server itself, or a path prefix at its origin', () => {
  test.each([
    [server, server],
    [`${server}/`, server],
    [server, `${server}/`],
    ['https://mcp.example', server],
    ['https://mcp.example/', server],
    ['https://mcp.example/a', server],
    ['https://mcp.example/a/', server],
    ['HTTPS://MCP.example:443/a/mcp', server],
    [server, `${server}?tenant=1`],
    [`${server}?tenant=1`, `${server}?tenant=1`],
    ['https://mcp.example/b/../a', server],
  ])('%s for %s', (resource, url) => {
    expect(() => checkResource(resource, new URL(url))).not.toThrow();
  });
});

describe('anything else is another resource (SECURITY.md, attack 8)', () => {
  test.each([
    ['https://evil.example/a/mcp', 'another origin'],
    ['https://mcp.example.evil.example/', 'another origin'],
    ['http://mcp.example/a/mcp', 'another origin'],
    ['https://mcp.example:8443/a/mcp', 'another origin'],
    ['https://sub.mcp.example/', 'another origin'],
    ['https://mcp.example/a/mc', 'another path'],
    ['https://mcp.example/a/mcp2', 'another path'],
    ['https://mcp.example/a/mcp/x', 'another path'],
    ['https://mcp.example/a/%6dcp', 'another path'],
    ['https://mcp.example/A/mcp', 'another path'],
    ['https://mcp.example/a/mcp?tenant=2', 'another query'],
    ['https://mcp.example/a/mcp#x', 'fragment'],
    ['https://user@mcp.example/a/mcp', 'user information'],
    ['https://:password@mcp.example/a/mcp', 'user information'],
    ['urn:mcp', 'another origin'],
    ['file:///a/mcp', 'another origin'],
    ['/a/mcp', 'no URL'],
    ['', 'no URL'],
    ['https://mcp.example/a/mcp\r\nx', 'no URL'],
  ])('%j: %s', (resource, fault) => {
    expect(() => checkResource(resource, new URL(server))).toThrow(ResourceMismatchError);
    expect(() => checkResource(resource, new URL(server))).toThrow(fault);
  });
});

test('an address without an origin is never a resource, not even of a server without one', () => {
  expect(() => checkResource('urn:mcp', new URL('urn:mcp'))).toThrow('another origin');
});
