import type { Library } from './case.ts';
import type { Reason } from './reason.ts';

const SDKS: readonly Library[] = ['sdk 1', 'sdk 2'];
const STRICT: readonly Library[] = ['oauth4webapi'];
const ALL: readonly Library[] = [...SDKS, ...STRICT];

/** Where we refuse and a library goes on. */
const OURS_STRICTER: readonly Reason[] = [
  {
    about: ['resource'],
    libraries: SDKS,
    features: [
      'resource: missing',
      'resource: empty',
      'resource: no address',
      'authorization_servers: a text',
      'authorization_servers: null',
      'authorization_servers: no address',
      'authorization_servers: a number',
      'authorization_servers: a script',
      'text: cut off',
    ],
    difference: { stricter: 'ours', says: /^(discovery|insecure_url|resource_mismatch): / },
    why: 'They take a document that does not fit their schema for one that is not there, and go to the authorization server of MCP 2025-03-26 at the server itself. RFC 9728 §3.3: it must not be used, and that is to be said.',
  },
  {
    about: ['resource'],
    libraries: SDKS,
    features: [
      'resource: a fragment',
      'resource: a query',
      'resource: user information',
      'resource: a line break',
    ],
    difference: { stricter: 'ours', says: /^resource_mismatch: / },
    why: 'They compare origin and path alone. RFC 9728 §3.3: the same resource; RFC 8707 §2: no fragment.',
  },
  {
    about: ['resource'],
    libraries: STRICT,
    features: ['resource: a line break'],
    difference: { stricter: 'ours', says: /^resource_mismatch: .* is no URL$/ },
    why: 'It compares what new URL makes of it, which drops line breaks. We send the resource byte for byte; RFC 3986 §2 has no such bytes.',
  },
  {
    about: ['resource'],
    libraries: SDKS,
    features: ['authorization_servers: http'],
    difference: { stricter: 'ours', says: /^insecure_url: the authorization server .* is not https/ },
    why: 'They fetch metadata over http. RFC 8414 §2: an issuer is https (.github/SECURITY.md, attack 12).',
  },
  {
    about: ['resource'],
    libraries: ALL,
    features: ['authorization_servers: a query'],
    difference: { stricter: 'ours', says: /holds a query$/ },
    why: 'RFC 8414 §2: an issuer has no query; they ask without it.',
  },
  {
    about: ['resource', 'authorization'],
    libraries: ALL,
    features: [
      'authorization_servers: a private address',
      'authorization_servers: the metadata service of a cloud',
      'authorization_servers: this machine',
      'authorization_endpoint: a private address',
      'token_endpoint: this machine',
      'token_endpoint: this machine over http',
      'token_endpoint: the metadata service of a cloud',
    ],
    difference: { stricter: 'ours', says: /^refused_address: / },
    why: 'They know no addresses: a server on the internet may lead them into the network (.github/SECURITY.md, attack 11; RFC 9728 §7.7).',
  },
  {
    about: ['resource', 'authorization'],
    libraries: ALL,
    features: [
      'authorization_servers: user information',
      'authorization_endpoint: user information',
      'token_endpoint: user information',
    ],
    difference: { stricter: 'ours', says: /holds user information$/ },
    why: 'They keep it. RFC 3986 §3.2.1 and §7.6: it makes one host look like another, and RFC 9110 §4.2.4 does not let it be sent.',
  },
  {
    about: ['resource', 'authorization'],
    libraries: ALL,
    features: [
      'authorization_servers: a fragment',
      'authorization_endpoint: a fragment',
      'token_endpoint: a fragment',
    ],
    difference: { stricter: 'ours', says: /holds a fragment$/ },
    why: 'They keep or drop it. RFC 8414 §2, RFC 6749 §3.1 and §3.2: none of these has one.',
  },
  {
    about: ['resource'],
    libraries: ['sdk 1', 'oauth4webapi'],
    features: ['authorization_servers: a line break'],
    difference: { stricter: 'ours', says: /^insecure_url: the authorization server .* holds white space/ },
    why: 'new URL drops it. RFC 3986 §2: no such byte in an address, and the issuer is compared by its bytes.',
  },
  {
    about: ['authorization'],
    libraries: ALL,
    features: [
      'authorization_endpoint: a command',
      'authorization_endpoint: a space and a quote',
      'authorization_endpoint: a line break',
    ],
    difference: { stricter: 'ours', says: /^insecure_url: the authorization endpoint .* holds white space/ },
    why: 'new URL encodes or drops it. RFC 3986 §2; what is opened by a program should not have to be encoded first (.github/SECURITY.md, attack 2).',
  },
  {
    about: ['authorization'],
    libraries: ALL,
    features: [
      'authorization_endpoint: http',
      'authorization_endpoint: a script',
      'authorization_endpoint: data',
      'authorization_endpoint: a file',
      'authorization_endpoint: an application',
    ],
    difference: { stricter: 'ours', says: /^insecure_url: the authorization endpoint .* is not https/ },
    why: 'The SDKs know three bad schemes, oauth4webapi leaves the address to the application. RFC 6749 §3.1: https (.github/SECURITY.md, attack 1).',
  },
  {
    about: ['authorization'],
    libraries: ['sdk 1'],
    features: ['token_endpoint: http'],
    difference: { stricter: 'ours', says: /^insecure_url: the token endpoint .* is not https/ },
    why: 'It sends the code over http. RFC 6749 §3.2: https (.github/SECURITY.md, attack 12).',
  },
  {
    about: ['authorization'],
    libraries: ALL,
    features: [
      'registration_endpoint: empty',
      'registration_endpoint: http',
      'registration_endpoint: a script',
      'revocation_endpoint: relative',
      'revocation_endpoint: a file',
    ],
    difference: { stricter: 'ours', says: /^insecure_url: the (registration|revocation) endpoint / },
    why: 'The SDKs know three bad schemes, oauth4webapi looks at an endpoint when it is used. RFC 8414 §2: addresses, with https; whoever writes another one is not trusted with the rest.',
  },
  {
    about: ['resource', 'authorization'],
    libraries: ALL,
    features: ['text: nested deep'],
    difference: { stricter: 'ours', says: /nests deeper than/ },
    why: 'They have no limit (.github/SECURITY.md, attack 17; RFC 8259 §9 lets a reader set one).',
  },
  {
    about: ['authorization'],
    libraries: ['sdk 1'],
    features: [
      'issuer: a slash at the end',
      'issuer: the port spelled out',
      'issuer: the host in capitals',
      'issuer: a template',
      'issuer: another',
    ],
    difference: { stricter: 'ours', says: /^issuer_mismatch: / },
    why: 'It does not look at the issuer. RFC 8414 §3.3: the same, or the document must not be used (.github/SECURITY.md, attack 6).',
  },
  {
    about: ['authorization'],
    libraries: STRICT,
    features: ['issuer: the port spelled out', 'issuer: the host in capitals'],
    difference: { stricter: 'ours', says: /^issuer_mismatch: / },
    why: 'It compares what new URL makes of both. RFC 8414 §3.3 and §4: identical, code point by code point.',
  },
  {
    about: ['authorization'],
    libraries: ALL,
    features: ['code_challenge_methods_supported: missing'],
    difference: { stricter: 'ours', says: /^pkce_unsupported: .* does not say that it supports PKCE$/ },
    why: 'MCP, Authorization Code Protection: without this member a client must refuse; --assume-pkce is for those who know better (.github/SECURITY.md, attack 10).',
  },
  {
    about: ['authorization'],
    libraries: STRICT,
    features: [
      'code_challenge_methods_supported: a text',
      'code_challenge_methods_supported: null',
      'code_challenge_methods_supported: in lower case',
      'code_challenge_methods_supported: plain alone',
      'code_challenge_methods_supported: an empty list',
      'response_types_supported: without code',
    ],
    difference: { stricter: 'ours', says: /^(pkce_unsupported|discovery): / },
    why: 'It leaves the authorization request, and so RFC 7636 §4.2 and RFC 8414 §2 on what is supported, to the application.',
  },
];

/** Where a library refuses and we go on. */
const THEIRS_STRICTER: readonly Reason[] = [
  {
    about: ['resource'],
    libraries: STRICT,
    features: ['resource: the origin', 'resource: a path above', 'resource: a slash at the end'],
    difference: { stricter: 'theirs', says: /^OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: .*"resource"/ },
    why: 'RFC 9728 §3.3 wants the very address; MCP servers name their origin or a path above them, which can mean no stranger: it is their own origin (.github/SECURITY.md, attack 8).',
  },
  {
    about: ['resource'],
    libraries: SDKS,
    features: ['resource: a slash at the end'],
    difference: { stricter: 'theirs', says: /does not match expected/ },
    why: 'They compare paths as texts, we by segments: with and without the slash at the end is the same server to whoever typed it (MCP, Canonical Server URI).',
  },
  {
    about: ['resource'],
    libraries: STRICT,
    features: ['authorization_servers: none', 'authorization_servers: an empty list'],
    difference: { stricter: 'theirs', says: /^ERR_INVALID_URL: / },
    why: 'It knows no MCP. RFC 9728 §2: the member is optional; MCP 2025-03-26: then the server is its own authorization server.',
  },
  {
    about: ['resource'],
    libraries: STRICT,
    features: ['text: a page of HTML', 'text: a list around it'],
    difference: { stricter: 'theirs', says: /^OAUTH_(PARSE_ERROR|INVALID_RESPONSE): / },
    why: 'It knows no MCP. A web application that answers every path with its page has no metadata there: MCP 2025-03-26, Fallbacks.',
  },
  {
    about: ['authorization'],
    libraries: SDKS,
    features: [
      'response_types_supported: missing',
      'response_types_supported: a text',
      'registration_endpoint: null',
      'scopes_supported: a text',
      'token_endpoint_auth_methods_supported: a text',
      'service_documentation: no address',
    ],
    difference: { stricter: 'theirs', says: /^(ZodError|\$ZodError): / },
    why: 'Their schema is for all of RFC 8414 §2, ours for what is used; of that a member that nothing depends on is as good as absent where it has another type.',
  },
];

/** Where both go on, but not to the same place. */
const ELSEWHERE: readonly Reason[] = [
  {
    about: ['resource'],
    libraries: SDKS,
    features: [
      'scopes_supported: a text',
      'bearer_methods_supported: a text',
      'resource_name: a number',
      'jwks_uri: no address',
    ],
    difference: {
      fields: ['authorize', 'token', 'resource'],
      theirs: /^(https:\/\/mcp\.example\/|\(none\)$)/,
    },
    why: 'One member that nobody needs does not fit their schema: they take the document for one that is not there, and go to the server itself instead of to the authorization server that it names (RFC 9728 §3.2, §5).',
  },
];

export const DOCUMENT_REASONS: readonly Reason[] = [...OURS_STRICTER, ...THEIRS_STRICTER, ...ELSEWHERE];
