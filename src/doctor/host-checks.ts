import { quote } from '../protocol/quote.ts';
import { type Check, type Finding, failure, ok, skipped, warning } from './check.ts';

/** A host on this machine, and the commands in its file. */
export interface SeenHost {
  readonly id: string;
  readonly file: string;
  /** Why the file cannot be read. */
  readonly fault: string | undefined;
  readonly ours: readonly SeenEntry[];
  readonly mcpRemote: readonly string[];
}

export interface SeenEntry {
  readonly name: string;
  /** The program and its arguments, as started by the host. */
  readonly words: readonly string[];
  /** The arguments for this program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HostCheckDeps {
  readonly hosts: () => Promise<readonly SeenHost[]>;
  /** Why this program rejects the arguments with this environment; undefined if it accepts them. */
  readonly refusal: (args: readonly string[], env: Readonly<Record<string, string>>) => string | undefined;
  /** Whether the host can start a program of this name or path. */
  readonly isProgram: (word: string) => boolean;
  /** Whether the file is there. */
  readonly isFile: (path: string) => boolean;
  readonly replaceCommand: string;
}

/** The entries of the MCP hosts on this machine. */
export function hostChecks(deps: HostCheckDeps): readonly Check[] {
  let seen: Promise<readonly SeenHost[]> | undefined;
  const hosts = () => {
    seen ??= deps.hosts();
    return seen;
  };
  return [
    { id: 'hosts.entries', run: async () => entriesFinding(await hosts(), deps) },
    { id: 'hosts.mcp-remote', run: async () => mcpRemoteFinding(await hosts(), deps) },
  ];
}

function entriesFinding(hosts: readonly SeenHost[], deps: HostCheckDeps): Finding {
  const entries = hosts.flatMap(({ id, file, ours }) => ours.map((entry) => ({ id, file, entry })));
  const broken = entries.flatMap(({ id, file, entry }) => {
    const fault = entryFault(entry, deps);
    return fault === undefined ? [] : [`${quote(entry.name)} of ${id} ${fault} (${file})`];
  });
  if (broken.length > 0) {
    return failure(broken.join('; '), 'Write the entry again with install, or fix it by hand.');
  }
  const unread = hosts.find(({ fault }) => fault !== undefined);
  if (unread !== undefined)
    return warning(`the file of ${unread.id} cannot be read: ${unread.fault} (${unread.file})`);
  if (entries.length === 0) return skipped('no host on this machine runs this program');
  const names = entries.map(({ id, entry }) => `${quote(entry.name)} of ${id}`);
  return ok(`${names.join(', ')} can be started`);
}

function entryFault({ words, args, env }: SeenEntry, deps: HostCheckDeps): string | undefined {
  const [program = '', script = ''] = words;
  if (!deps.isProgram(program)) return `starts ${quote(program)}, which is not there`;
  const isScript = /[\\/].*\.c?js$/.test(script);
  if (isScript && !deps.isFile(script)) return `starts ${quote(script)}, which is not there`;
  const refusal = deps.refusal(args, env);
  return refusal === undefined ? undefined : `has invalid arguments: ${refusal}`;
}

function mcpRemoteFinding(hosts: readonly SeenHost[], { replaceCommand }: HostCheckDeps): Finding {
  const found = hosts.flatMap(({ id, mcpRemote }) => mcpRemote.map((name) => `${quote(name)} of ${id}`));
  return found.length === 0
    ? ok('none')
    : warning(
        `${found.join(', ')}: each keeps a login of its own`,
        `Replace them, and import their logins: ${replaceCommand}`,
      );
}
