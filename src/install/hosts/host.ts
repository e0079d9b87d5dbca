import type { Place } from './place.ts';

/** The command that a host runs. */
export interface Entry {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables with their values. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the host is to pass on from its own environment; only of hosts with `passes: 'listed'`. */
  readonly variables: readonly string[];
}

/** A value in a config file. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | ConfigObject;
export interface ConfigObject {
  readonly [key: string]: ConfigValue;
}

/** Where the entries are in a file and how one is written. */
export interface Dialect {
  /** The keys that lead to the object with one member per server. */
  readonly keys: readonly string[];
  readonly shape: (entry: Entry) => ConfigObject;
}

/**
 * What of its own environment a host passes on to the commands that it starts. `all`; `listed`: a short list, and what the entry names;
 * `unsuspicious`: all but names that sound like secrets. A `desktop` application passes all on, but was not started by a shell and so never
 * had what the shell's own files set.
 */
export type Passes = 'all' | 'listed' | 'unsuspicious' | 'desktop';

/** A program that starts MCP servers as local commands. */
export interface Host {
  readonly name: string;
  /**
   * The user's config files. The first that exists is used. Where none does, the first is made that has no `*`, which stands for any part of
   * a folder's name, and is no `.jsonc`, which wins over a `.json` beside it.
   */
  readonly files: (place: Place) => readonly string[];
  /** The project's config files, relative to its folder; like `files`. */
  readonly projectFiles?: readonly (readonly string[])[];
  /** Folders or files that show that the host is on this machine; by default the folders of its config files. */
  readonly signs?: (place: Place) => readonly string[];
  /** Its program on the path. */
  readonly program?: string;
  readonly format: 'json' | 'toml';
  /** The ways to write an entry; the file is edited in the one that it uses, or else in the last. */
  readonly dialects: readonly Dialect[];
  readonly passes: Passes;
  /** What makes the host read its file. */
  readonly reload: string;
  /** Whether the host can reach a server with a sign-in by itself, at least where the server registers clients. */
  readonly direct: boolean;
  /** The host's own commands to change its file, for a host that keeps rewriting it. Without the program nothing is written. */
  readonly commands?: {
    readonly add: (name: string, json: string) => readonly string[];
    readonly remove: (name: string) => readonly string[];
  };
  /** The host locks its file by the folder FILE.lock, which counts as left over when it is older. Milliseconds. */
  readonly lockStaleMs?: number;
  /** On Windows it starts `npx`, which is a batch file, without the help of cmd. */
  readonly startsBatchFiles?: boolean;
  /** A link that opens the host with this entry, to be confirmed there. */
  readonly link?: (name: string, entry: Entry) => string;
}

/** The file to make where none of these exists; undefined where the host is not for this system. */
export function newFile(files: readonly string[]): string | undefined {
  return files.find((file) => !file.includes('*') && !file.endsWith('.jsonc'));
}

/** A host whose file is not edited: what to put where is printed. */
export interface PrintedHost {
  readonly name: string;
  /** The file that a person edits, or the place in the settings. */
  readonly where: (place: Place) => string;
  readonly snippet: (name: string, entry: Entry) => string;
  readonly link?: (name: string, entry: Entry) => string;
}
