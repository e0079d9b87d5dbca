import type { Entry, Host } from '../hosts/host.ts';
import { entryEnvironment } from './environment.ts';

/** How this program is started. */
export type Starter =
  /** Absolute paths, and Node's own flags before the script. */
  | {
      readonly kind: 'script';
      readonly node: string;
      readonly flags: readonly string[];
      readonly script: string;
    }
  | { readonly kind: 'npx' };

/** The input for an entry. */
export interface EntryRequest {
  readonly starter: Starter;
  /** The address and the options. */
  readonly words: readonly string[];
  /** The variables that the options name. */
  readonly variables: readonly string[];
  /** The file with values that may be secrets. */
  readonly settingsFile?: string | undefined;
  /** The folder of the logins, if hosts would look in another one. */
  readonly home?: string | undefined;
  /** The environment of this shell; empty for an entry that is also for other machines. */
  readonly shell: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** An entry for one host, and what a person has to know about it. */
export interface MadeEntry {
  readonly entry: Entry;
  readonly notes: readonly string[];
}

/** Creates the entry for a host. */
export function makeEntry(
  request: EntryRequest,
  {
    passes,
    startsBatchFiles = false,
  }: { readonly passes: Host['passes']; readonly startsBatchFiles?: boolean },
): MadeEntry {
  const { starter, words, variables: named, settingsFile, home, shell, platform } = request;
  const { env, variables, notes } = entryEnvironment(passes, shell, named, platform);
  const start = startWords(starter, platform === 'win32' && !startsBatchFiles);
  const [command = '', ...first] = start;
  const args = [
    ...first,
    ...words,
    ...(settingsFile === undefined ? [] : ['--config', settingsFile]),
    ...(home === undefined ? [] : ['--home', home]),
  ];
  return { entry: { command, args, env, variables }, notes };
}

function startWords(starter: Starter, needsCmd: boolean): readonly string[] {
  if (starter.kind === 'script') return [starter.node, ...starter.flags, starter.script];
  const npx = ['npx', '-y', 'mcp-drawbridge'];
  return needsCmd ? ['cmd', '/c', ...npx] : npx;
}
