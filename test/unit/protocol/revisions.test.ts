import { expect, test } from 'vitest';
import { isObject } from '../../../src/protocol/json/json-object.ts';
import { isListMethod, LISTS } from '../../../src/protocol/list-methods.ts';
import {
  eraOfRequest,
  isLegacyVersion,
  isModernErrorCode,
  LEGACY_VERSION,
  LEGACY_VERSIONS,
  META,
  MODERN_VERSION,
  ModernErrorCode,
  metaOf,
} from '../../../src/protocol/revisions.ts';

test('the dates of the revisions', () => {
  expect(MODERN_VERSION).toBe('2026-07-28');
  expect(LEGACY_VERSION).toBe('2025-11-25');
  expect(LEGACY_VERSIONS).toEqual(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']);
});

test.each([
  ['2025-11-25', true],
  ['2024-11-05', true],
  ['2026-07-28', false],
  ['', false],
  [undefined, false],
  [20251125, false],
])('whether %j is a revision with a handshake: %s', (version, expected) => {
  expect(isLegacyVersion(version)).toBe(expected);
});

test.each([
  [-32_020, true],
  [-32_021, true],
  [-32_022, true],
  [-32_019, false],
  [-32_601, false],
  ['-32020', false],
  [undefined, false],
])('whether %j is an error only of modern servers: %s', (code, expected) => {
  expect(isModernErrorCode(code)).toBe(expected);
});

test('the names and numbers of the specification', () => {
  expect(ModernErrorCode).toEqual({
    headerMismatch: -32_020,
    missingRequiredClientCapability: -32_021,
    unsupportedProtocolVersion: -32_022,
  });
  expect(Object.entries(META).map(([name, key]) => key === `io.modelcontextprotocol/${name}`)).toEqual(
    new Array(6).fill(true),
  );
  expect(Object.keys(META).sort()).toEqual([
    'clientCapabilities',
    'clientInfo',
    'logLevel',
    'protocolVersion',
    'serverInfo',
    'subscriptionId',
  ]);
});

test.each<[unknown, object]>([
  [{ _meta: { a: 1 } }, { a: 1 }],
  [{ _meta: 'x' }, {}],
  [{ _meta: null }, {}],
  [{ _meta: [1] }, {}],
  [{}, {}],
  [null, {}],
  [undefined, {}],
  ['x', {}],
])('the _meta of %j', (params, meta) => {
  expect(metaOf(params)).toEqual(meta);
});

test.each<[unknown, string]>([
  [{ _meta: { [META.protocolVersion]: '2026-07-28' } }, 'modern'],
  [{ _meta: { [META.protocolVersion]: 7 } }, 'legacy'],
  [{ _meta: { [META.clientInfo]: '2026-07-28' } }, 'legacy'],
  [{ protocolVersion: '2025-11-25' }, 'legacy'],
  [undefined, 'legacy'],
])('the era of a request with %j: %s', (params, era) => {
  expect(eraOfRequest(params)).toBe(era);
});

test.each([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  ['x', false],
  [undefined, false],
])('whether %j is an object: %s', (value, expected) => {
  expect(isObject(value)).toBe(expected);
});

test('each list with its member, its capability and the notification of its changes', () => {
  expect(LISTS).toEqual({
    'tools/list': { field: 'tools', capability: 'tools', changed: 'notifications/tools/list_changed' },
    'prompts/list': {
      field: 'prompts',
      capability: 'prompts',
      changed: 'notifications/prompts/list_changed',
    },
    'resources/list': {
      field: 'resources',
      capability: 'resources',
      changed: 'notifications/resources/list_changed',
    },
    'resources/templates/list': {
      field: 'resourceTemplates',
      capability: 'resources',
      changed: 'notifications/resources/list_changed',
    },
  });
  for (const method of Object.keys(LISTS)) expect(isListMethod(method)).toBe(true);
  for (const method of ['tools/call', 'constructor', '']) expect(isListMethod(method)).toBe(false);
});
