import type { ListMethod } from '../../../src/protocol/list-methods.ts';

/**
 * How a real host starts and ends a server, as it was measured with this version. What it passes on of its environment is in host-environments.ts;
 * `npm run test:hosts` runs the hosts themselves.
 */
export interface HostProfile {
  readonly host: string;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly protocolVersion: string;
  readonly capabilities: object;
  /** Asks with this before `initialize`, as a host of 2026-07-28. */
  readonly discovers?: true;
  /** The lists that it asks for when it starts, one after the other, where they are declared. */
  readonly lists: readonly ListMethod[];
  /** How long a list may take before it goes on without the server, in milliseconds. */
  readonly listLimitMs: number;
  /** It does not ask again after `list_changed`. */
  readonly ignoresListChanged?: true;
  /** How it ends the server, in this order; what is not listed is SIGKILL. */
  readonly ends: readonly ('SIGINT' | 'SIGTERM' | 'stdin')[];
}

export const HOST_PROFILES: readonly HostProfile[] = [
  {
    host: 'Claude Code 2.1.197',
    clientInfo: { name: 'claude-code', version: '2.1.197' },
    protocolVersion: '2025-11-25',
    capabilities: { roots: {}, elicitation: {} },
    lists: ['tools/list', 'prompts/list', 'resources/list'],
    listLimitMs: 30_000,
    // SIGTERM comes 0.1 s later, and SIGKILL 0.4 s after that; stdin stays open.
    ends: ['SIGINT', 'SIGTERM'],
  },
  {
    host: 'Codex 0.169.0',
    clientInfo: { name: 'codex-mcp-client', version: '0.169.0' },
    protocolVersion: '2025-06-18',
    capabilities: { elicitation: { form: {}, url: {} } },
    lists: ['tools/list'],
    listLimitMs: 30_000,
    ignoresListChanged: true,
    ends: ['SIGTERM', 'stdin'],
  },
  {
    host: 'opencode 1.18.33',
    clientInfo: { name: 'opencode', version: '1.18.33' },
    protocolVersion: '2025-11-25',
    capabilities: { roots: {} },
    lists: ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
    listLimitMs: 30_000,
    ends: ['stdin', 'SIGTERM'],
  },
  {
    host: 'Qwen Code 0.15.10',
    clientInfo: { name: 'qwen-cli-mcp-client-world', version: '0.0.1' },
    protocolVersion: '2025-11-25',
    capabilities: { roots: {} },
    lists: ['prompts/list', 'tools/list', 'tools/list'],
    listLimitMs: 60_000,
    ignoresListChanged: true,
    ends: ['stdin'],
  },
  {
    host: 'Gemini CLI 0.61.0',
    clientInfo: { name: 'gemini-cli-mcp-client', version: '0.61.0' },
    protocolVersion: '2025-06-18',
    capabilities: { roots: { listChanged: true } },
    lists: ['prompts/list', 'tools/list', 'resources/list'],
    listLimitMs: 60_000,
    ends: ['SIGTERM', 'stdin'],
  },
  {
    host: 'Copilot CLI 1.0.102',
    clientInfo: { name: 'copilot-cli', version: '1.0.102' },
    protocolVersion: '2025-11-25',
    capabilities: { sampling: {}, elicitation: { form: {}, url: {} } },
    discovers: true,
    lists: ['tools/list'],
    listLimitMs: 60_000,
    ends: ['SIGTERM'],
  },
  {
    host: 'Cline 3.0.65',
    clientInfo: { name: '@cline/core', version: '0.0.0' },
    protocolVersion: '2024-11-05',
    capabilities: {},
    lists: ['tools/list'],
    listLimitMs: 60_000,
    ignoresListChanged: true,
    ends: ['stdin', 'SIGTERM'],
  },
  {
    host: 'Continue 1.5.47',
    clientInfo: { name: 'continue-cli-client', version: '1.0.0' },
    protocolVersion: '2025-11-25',
    capabilities: {},
    lists: ['prompts/list', 'tools/list'],
    listLimitMs: 60_000,
    ignoresListChanged: true,
    ends: ['stdin'],
  },
];
