import { describe, expect, test } from 'vitest';
import {
  completeResult,
  initializeResultOfDiscovery,
  standInDiscovery,
} from '../../../../src/bridge/stand-in/modern-stand-in.ts';

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
const held = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };

test.each([
  [{ tools: [] }, { ...held, tools: [] }],
  [{ ttlMs: 5 }, { ...held, ttlMs: 5 }],
  ['text', 'text'],
  [null, null],
  [undefined, undefined],
])('%j as a complete result', (result, expected) => {
  expect(completeResult(result)).toEqual(expected);
});

describe('server/discover while the server cannot answer', () => {
  const initialize = {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'real', version: '9' },
    instructions: 'be nice',
  };

  test('is answered from last time', () => {
    expect(standInDiscovery({ era: 'legacy', initialize })).toStrictEqual({
      kind: 'result',
      result: {
        ...held,
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        instructions: 'be nice',
        _meta: { [SERVER_INFO]: { name: 'real', version: '9' } },
      },
    });
  });

  test('leaves out missing and invalid fields', () => {
    const bare = { ...held, supportedVersions: ['2026-07-28'], capabilities: {} };
    for (const known of [{}, { capabilities: 'all', instructions: 7, serverInfo: 'x' }]) {
      expect(standInDiscovery({ era: 'modern', initialize: known })).toStrictEqual({
        kind: 'result',
        result: bare,
      });
    }
  });

  test.each([
    [{}],
    [{ initialize }],
    [{ era: 'modern' as const }],
    [{ era: 'modern' as const, initialize: 'nonsense' }],
  ])('is an error on which a host falls back, for a server of which %j is known', (known) => {
    expect(standInDiscovery(known)).toEqual({
      kind: 'error',
      code: -32_601,
      message: 'Method not found: server/discover',
    });
  });
});

describe("the part of a server's own response that is kept", () => {
  const info = { name: 'a', version: '1' };
  test.each<[string, Record<string, unknown>, object]>([
    [
      'named in _meta',
      { capabilities: { tools: {} }, instructions: 'i', _meta: { [SERVER_INFO]: info } },
      { capabilities: { tools: {} }, serverInfo: info, instructions: 'i' },
    ],
    ['named beside it', { capabilities: {}, serverInfo: info }, { capabilities: {}, serverInfo: info }],
    [
      'named twice: _meta counts',
      { serverInfo: { name: 'b', version: '2' }, _meta: { [SERVER_INFO]: info } },
      { capabilities: {}, serverInfo: info },
    ],
    ['nothing', {}, { capabilities: {}, serverInfo: { name: 'unnamed', version: '0' } }],
    [
      'nonsense',
      { capabilities: [], serverInfo: 'x', instructions: 7, _meta: 'x' },
      { capabilities: {}, serverInfo: { name: 'unnamed', version: '0' } },
    ],
  ])('%s', (_, answer, kept) => {
    expect(initializeResultOfDiscovery(answer)).toStrictEqual(kept);
  });
});
