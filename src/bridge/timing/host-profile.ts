import { isObject } from '../../protocol/json/json-object.ts';
import { META, metaOf } from '../../protocol/revisions.ts';
import { LIST_WAIT_MS } from './limits.ts';

/** What is known about a host: how long it waits, and whether it handles list changes. */
export interface HostProfile {
  /** How long its `initialize` may wait for a server whose answer is on its way, in milliseconds. */
  readonly initializeMs: number;
  /** How long its lists together may wait for a person who is signing in, in milliseconds. */
  readonly listsMs: number;
  /** Whether it requests the tools again after `notifications/tools/list_changed`. Undefined: not known. */
  readonly honoursListChanged: boolean | undefined;
}

/** A host that is not in the table. Most give up on `initialize` after 30 s, the first ones after 10 s. */
const OTHERS: HostProfile = {
  initializeMs: 8_000,
  listsMs: LIST_WAIT_MS,
  honoursListChanged: undefined,
};

/** For a host that never asks again and gives a list 60 s: a person who has not signed in by then is doing something else. */
const AS_LONG_AS_HELPS_MS = 45_000;

/** For a host that gives `initialize` and each list 30 s, and may count its own start. */
const WITHIN_30_S_MS = 25_000;

/** For a host that gives a list 5 s. */
const WITHIN_5_S_MS = 4_000;

/** For a host that gives `initialize` and the lists 10 s together. */
const WITHIN_10_S_MS = 8_000;

interface Row extends Partial<HostProfile> {
  /** `clientInfo.name` in lower case; with `*` at the end, its beginning. */
  readonly name: string;
  /** `clientInfo.version` of which this row is true, and of every later one. */
  readonly since?: readonly number[];
}

/**
 * The known hosts, by `clientInfo.name`. If one name has several rows, the first that fits is used. "Measured" means: run on Linux, with a server that answered
 * late and then sent `list_changed`.
 */
const ROWS: readonly Row[] = [
  // Claude Code. Measured with 2.1.197: `initialize` has 30 s, and the first turn does not wait for the tools.
  { name: 'claude-code', honoursListChanged: true },

  // Codex. 0.131 and later give a server 30 s (openai/codex#16080); measured with 0.169.0: 12 s for `initialize` and 27 s for the list were accepted,
  // `list_changed` led to nothing, as its LoggingClientHandler only logs it. Before, `initialize` and tools/list had 10 s (openai/codex#11851).
  { name: 'codex-mcp-client', since: [0, 131], listsMs: WITHIN_30_S_MS, honoursListChanged: false },
  { name: 'codex-mcp-client', listsMs: WITHIN_10_S_MS, honoursListChanged: false },

  // opencode. In 1.18.33 a list has 30 s; before, it had 5 s, and a server that took longer was closed (packages/opencode/src/mcp/index.ts).
  { name: 'opencode', since: [1, 18, 33], honoursListChanged: true },
  { name: 'opencode', listsMs: WITHIN_5_S_MS, honoursListChanged: true },

  // Gemini CLI. In 0.61.0 (mcp-client.ts) everything has ten minutes but resources/list, which has 60 s; it listens for all three changes.
  { name: 'gemini-cli-mcp-client', honoursListChanged: true },

  // Qwen Code. In 0.15.10 (mcp-client.ts) `initialize` has ten minutes, lists have the 60 s of the SDK; nothing listens for changes.
  { name: 'qwen-cli-mcp-client-*', listsMs: AS_LONG_AS_HELPS_MS, honoursListChanged: false },
  { name: 'qwen-code-mcp-client', listsMs: AS_LONG_AS_HELPS_MS, honoursListChanged: false },

  // Copilot CLI. Measured with 1.0.102: `initialize` may take 40 s, the first turn waits.
  { name: 'copilot-cli', honoursListChanged: true },

  // The command line of Cline. It writes `initialize` as soon as it has started a server, and ends the server 1.5 s later (2.7 s in 3.0.65): the
  // start of a launcher such as npx counts too, and takes up to 2 s. A list has 60 s; nothing listens for changes.
  {
    name: '@cline/core',
    initializeMs: 400,
    listsMs: AS_LONG_AS_HELPS_MS,
    honoursListChanged: false,
  },
  // Cline in VS Code (src/services/mcp/McpHub.ts, DEFAULT_REQUEST_TIMEOUT_MS): a list that takes 5 s counts as empty.
  { name: 'cline', listsMs: WITHIN_5_S_MS, honoursListChanged: false },

  // The command line of Continue, 1.5.47: everything has the 60 s of the SDK; nothing listens for changes.
  { name: 'continue-cli-client', listsMs: AS_LONG_AS_HELPS_MS, honoursListChanged: false },

  // Crush (internal/agent/tools/mcp/init.go): the connection has 10 s, 15 s since 2026; it listens for all three changes.
  { name: 'crush', listsMs: WITHIN_10_S_MS, honoursListChanged: true },
];

/**
 * The profile of the host that sent these parameters: those of its `initialize`, or of any request of a host without a handshake, which carry
 * `clientInfo` in `_meta` (specification 2026-07-28, Base Protocol → `_meta`).
 */
export function hostProfile(params: unknown): HostProfile {
  const { name, version } = clientInfo(params);
  const row = ROWS.find((each) => isNamed(name, each.name) && isSince(version, each.since));
  return { ...OTHERS, ...row };
}

function clientInfo(params: unknown): { readonly name: string; readonly version: string } {
  const direct = isObject(params) ? params.clientInfo : undefined;
  const info = direct ?? metaOf(params)[META.clientInfo];
  const { name, version } = isObject(info) ? info : {};
  return {
    name: typeof name === 'string' ? name.toLowerCase() : '',
    version: typeof version === 'string' ? version : '',
  };
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isSince(version: string, since: readonly number[] | undefined): boolean {
  if (since === undefined) return true;
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [at, wanted] of since.entries()) {
    const part = parts[at] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
