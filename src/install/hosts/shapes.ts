import type { ConfigObject, Dialect, Entry } from './host.ts';

/** Longer than a first start with a sign-in that needs no action: the time that lists wait, and some seconds for Node. */
const START_S = 60;

/** `{ command, args, env }`, as most hosts have it. */
export function plain({ command, args, env }: Entry): ConfigObject {
  return { command, args, ...named('env', env) };
}

function typed(entry: Entry): ConfigObject {
  return { type: 'stdio', ...plain(entry) };
}

function named(key: string, env: Entry['env']): ConfigObject {
  return Object.keys(env).length === 0 ? {} : { [key]: env };
}

export const mcpServers: Dialect = { keys: ['mcpServers'], shape: plain };
export const typedMcpServers: Dialect = { keys: ['mcpServers'], shape: typed };
export const typedServers: Dialect = { keys: ['servers'], shape: typed };

/** Its schema requires `tools`; `*` means every tool. */
export const copilot: Dialect = {
  keys: ['mcpServers'],
  shape: (entry) => ({ type: 'local', ...plain(entry), tools: ['*'] }),
};

/** `timeout` in seconds, also for the connection. */
export const cline: Dialect = {
  keys: ['mcpServers'],
  shape: (entry) => ({ ...plain(entry), disabled: false, timeout: START_S }),
};

/** `startup_timeout_sec` is for `initialize` and the first `tools/list` together, 10 by default. */
export const codex: Dialect = {
  keys: ['mcp_servers'],
  shape: ({ variables, ...entry }) => ({
    ...plain({ ...entry, variables }),
    ...(variables.length === 0 ? {} : { env_vars: variables }),
    startup_timeout_sec: START_S,
  }),
};

function local({ command, args, env }: Entry): ConfigObject {
  return { type: 'local', command: [command, ...args], ...named('environment', env) };
}

/** `timeout` in milliseconds, for the first list; 5,000 by default. */
export const openCodeV1: Dialect = {
  keys: ['mcp'],
  shape: (entry) => ({ ...local(entry), enabled: true, timeout: START_S * 1000 }),
};

export const openCodeV2: Dialect = {
  keys: ['mcp', 'servers'],
  shape: (entry) => ({ ...local(entry), timeout: { startup: START_S * 1000 } }),
};

export const kilo: Dialect = { keys: ['mcp'], shape: (entry) => ({ ...local(entry), enabled: true }) };
export const zed: Dialect = { keys: ['context_servers'], shape: plain };
export const amp: Dialect = { keys: ['amp.mcpServers'], shape: plain };
