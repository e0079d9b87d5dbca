import type { Place } from './place.ts';

/** The command that a host runs. */
export interface Entry {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables with their values. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the host shall pass on from its own environment; only for hosts with `passes: 'listed'`. */
  readonly variables: readonly string[];
}

/** A value in a config file. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | ConfigObject;
export interface ConfigObject {
  readonly [key: string]: ConfigValue;
}

/** Where the entries are in a file and how an entry is written. */
export interface Dialect {
  /** The keys that lead to the object with one member per server. */
  readonly keys: readonly string[];
  readonly shape: (entry: Entry) => ConfigObject;
}

/**
 * Which of its own variables a host passes on to the commands that it starts. `all`; `listed`: a short list, and those named in the entry; `unsuspicious`: all
 * but names that sound like secrets. A `desktop` application passes on all, but was not started by a shell and so lacks the variables from the shell's own
 * files.
 */
export type Passes = 'all' | 'listed' | 'unsuspicious' | 'desktop';

/** A program that starts MCP servers as local commands. */
export interface Host {
  readonly name: string;
  /**
   * The user's config files. The first that exists is used. If none does, the first one is created that has no `*`, which stands for any part of a folder's
   * name, and is not a `.jsonc`, which takes precedence over a `.json` next to it.
   */
  readonly files: (place: Place) => readonly string[];
  /** The project's config files, relative to its folder; like `files`. */
  readonly projectFiles?: readonly (readonly string[])[];
  /** Folders or files that show that the host is on this machine; by default the folders of its config files. */
  readonly signs?: (place: Place) => readonly string[];
  /** Its program on the path. */
  readonly program?: string;
  readonly format: 'json' | 'toml';
  /** The forms of an entry; the file is edited in the one that it uses, or else in the last. */
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
  /** The host locks its file with the folder FILE.lock, which counts as abandoned when it is older. Milliseconds. */
  readonly lockStaleMs?: number;
  /** On Windows it starts `npx`, which is a batch file, without cmd. */
  readonly startsBatchFiles?: boolean;
  /** A link that opens the host with this entry, to be confirmed there. */
  readonly link?: (name: string, entry: Entry) => string;
}

/** The file to create if none of these exists; undefined if the host does not run on this system. */
export function newFile(files: readonly string[]): string | undefined {
  return files.find((file) => !file.includes('*') && !file.endsWith('.jsonc'));
}

/** A host whose file is not edited: the text and its place are printed. */
export interface PrintedHost {
  readonly name: string;
  /** The file that a person edits, or the place in the settings. */
  readonly where: (place: Place) => string;
  readonly snippet: (name: string, entry: Entry) => string;
  readonly link?: (name: string, entry: Entry) => string;
}
