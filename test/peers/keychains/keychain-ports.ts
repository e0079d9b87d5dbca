import { type KeychainPorts, type KeyFile, keychainPorts } from '../../../src/keychain/ports.ts';
import type { ToolRequest } from '../../../src/platform/process/run-tool.ts';

/** The real ports for a program with this environment, and all that was run with them. */
export interface SeenPorts {
  readonly ports: KeychainPorts;
  readonly requests: ToolRequest[];
}

export interface PortsOptions {
  readonly platform?: NodeJS.Platform;
  /** In place of the program of this name or path; undefined: it is not installed. */
  readonly programs?: Readonly<Record<string, string | undefined>>;
  readonly findBus?: KeychainPorts['findBus'];
  /** Far more than users get: the machine of a test may be busy. */
  readonly limitMs?: number;
}

export function seenPorts(
  env: Readonly<Record<string, string>>,
  { platform = 'linux', programs = {}, findBus, limitMs = 60_000 }: PortsOptions = {},
): SeenPorts {
  const requests: ToolRequest[] = [];
  const real = keychainPorts(memoryFile(), { platform, env });
  const ports: KeychainPorts = {
    ...real,
    find: (name) => (name in programs ? programs[name] : real.find(name)),
    run: (request) => {
      requests.push(request);
      return real.run({ ...request, command: programs[request.command] ?? request.command });
    },
    findBus: findBus ?? real.findBus,
    limitMs,
  };
  return { ports, requests };
}

/** Whether a text was given to a program where other processes see it. */
export function isExposed(text: string, requests: readonly ToolRequest[]): boolean {
  return requests.some(({ command, args, env }) =>
    [command, ...args, ...Object.entries(env).flat()].some((word) => word?.includes(text)),
  );
}

function memoryFile(): KeyFile {
  const texts = new Map<string, string>();
  return {
    read: async (account) => texts.get(account),
    write: async (account, text) => void texts.set(account, text),
    remove: async (account) => texts.delete(account),
  };
}
