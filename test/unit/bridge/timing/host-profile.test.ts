import { describe, expect, it, test } from 'vitest';
import { hostProfile } from '../../../../src/bridge/timing/host-profile.ts';
import { HOST_PROFILES } from '../../../peers/hosts/host-profiles.ts';

const host = (name: unknown, version?: unknown) => ({ clientInfo: { name, version } });
const others = { initializeMs: 8_000, listsMs: 20_000, honoursListChanged: undefined };

describe('a host that is in the table', () => {
  it.each([
    ['claude-code', '2.1.197', 8_000, 20_000, true],
    ['codex-mcp-client', '0.169.0', 8_000, 25_000, false],
    ['codex-mcp-client', '0.131.0', 8_000, 25_000, false],
    ['codex-mcp-client', '1.0.0', 8_000, 25_000, false],
    ['codex-mcp-client', '0.130.9', 8_000, 8_000, false],
    ['codex-mcp-client', undefined, 8_000, 8_000, false],
    ['opencode', '1.18.33', 8_000, 20_000, true],
    ['opencode', '1.19', 8_000, 20_000, true],
    ['opencode', '1.18.32', 8_000, 4_000, true],
    ['opencode', '1.18', 8_000, 4_000, true],
    ['opencode', 'local', 8_000, 4_000, true],
    ['gemini-cli-mcp-client', '0.61.0', 8_000, 20_000, true],
    ['qwen-cli-mcp-client-world', '0.0.1', 8_000, 45_000, false],
    ['qwen-code-mcp-client', '0.0.1', 8_000, 45_000, false],
    ['copilot-cli', '1.0.102', 8_000, 20_000, true],
    ['@cline/core', '0.0.0', 400, 45_000, false],
    ['Cline', '3.40.0', 8_000, 4_000, false],
    ['continue-cli-client', '1.0.0', 8_000, 45_000, false],
    ['crush', '0.9.0', 8_000, 8_000, true],
  ])('%s %s', (name, version, initializeMs, listsMs, honoursListChanged) => {
    expect(hostProfile(host(name, version))).toMatchObject({ initializeMs, listsMs, honoursListChanged });
  });

  it('without a handshake is identified by each request', () => {
    const clientInfo = { name: 'copilot-cli', version: '1.0.102' };
    const params = { _meta: { 'io.modelcontextprotocol/clientInfo': clientInfo } };
    expect(hostProfile(params)).toMatchObject({ honoursListChanged: true });
  });
});

test.each([
  host('another'),
  host('a-claude-code'),
  host('claude-code-2'),
  host('qwen-cli-mcp-client'),
  host('constructor'),
  host(7),
  { clientInfo: null },
  { _meta: null },
  { _meta: {} },
  {},
  null,
  undefined,
  'text',
])('%j is not in the table', (params) => {
  expect(hostProfile(params)).toEqual(others);
});

test.each([
  'claude-code',
  'codex-mcp-client',
  'opencode',
  'qwen-cli-mcp-client-world',
  'gemini-cli-mcp-client',
  'copilot-cli',
  '@cline/core',
  'Cline',
  'continue-cli-client',
  'crush',
  'another',
])(
  '%s: a list is answered before the 60 s of the SDK, a first answer before the 10 s of the least patient',
  (name) => {
    const { initializeMs, listsMs } = hostProfile(host(name));
    expect(listsMs).toBeLessThan(60_000);
    expect(initializeMs).toBeLessThan(10_000);
  },
);

test.each(HOST_PROFILES)(
  '$host: a list is answered before it times out, and whether it handles list changes',
  (host) => {
    const profile = hostProfile(host);
    expect(profile.listsMs).toBeLessThan(host.listLimitMs);
    expect(profile.honoursListChanged).toBe(host.ignoresListChanged !== true);
  },
);
