import { isRecord, type ReadValue } from '../edit/document.ts';

/** The command of an entry, in any host's form. */
export interface FoundCommand {
  /** The program and its arguments. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Reads an entry in any host's form; undefined for one that starts no command, such as a remote server. */
export function readCommand(value: ReadValue): FoundCommand | undefined {
  if (!isRecord(value)) return undefined;
  if (isRecord(value.transport) && value.command === undefined) return readCommand(value.transport);
  // Zed wrote `command: { path, args }` once.
  if (isRecord(value.command)) {
    const { path, args, env } = value.command;
    return readCommand({ command: path, args, env: env ?? value.env });
  }
  const { command, args } = value;
  const words = [...(Array.isArray(command) ? command : [command]), ...(Array.isArray(args) ? args : [])];
  if (!words.every((word) => typeof word === 'string') || words.length === 0) return undefined;
  return { words, env: texts(value.env ?? value.environment ?? value.envs) };
}

function texts(value: ReadValue): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((each): each is [string, string] => typeof each[1] === 'string'),
  );
}

/** A program published as a package, and its arguments. */
export interface PackageCall {
  readonly name: string;
  /** `1.2.3` or a tag, if one is given. */
  readonly version: string | undefined;
  readonly args: readonly string[];
}

/**
 * The package that a command runs, however it is started: by npx, bunx, `npm exec`, `pnpm dlx`, `yarn dlx`, `deno run`, through cmd or a shell, as a script of
 * Node, or by its own name. Undefined if unknown.
 */
export function packageCall(words: readonly string[]): PackageCall | undefined {
  const [first = '', ...rest] = words;
  switch (programName(first)) {
    case 'cmd':
      return throughCmd(rest);
    case 'sh':
    case 'bash':
    case 'zsh':
      return throughShell(rest);
    case 'env':
      return packageCall(rest.slice(rest.findIndex((word) => !/^\w+=|^-i$/.test(word))));
    case 'npx':
    case 'bunx':
    case 'pnpx':
      return run(rest);
    case 'npm':
      return /^(exec|x)$/.test(rest[0] ?? '') ? run(rest.slice(1)) : undefined;
    case 'bun':
    case 'pnpm':
    case 'yarn':
      return /^(x|dlx|exec)$/.test(rest[0] ?? '') ? run(rest.slice(1)) : script(rest);
    case 'deno':
      return rest[0] === 'run' ? script(rest.slice(1)) : undefined;
    case 'node':
      return script(rest);
    default:
      return named(first, rest);
  }
}

/** `/usr/bin/node` and `node.exe` → `node`. */
function programName(word: string): string {
  const base = word.split(/[\\/]/).at(-1) ?? '';
  return base.replace(/\.(exe|cmd|bat|ps1)$/i, '').toLowerCase();
}

/** Options of npx and similar runners with a value as the next word (npm-exec(1)). */
const RUNNER_VALUES = new Set([
  '-p',
  '--package',
  '-c',
  '--call',
  '-w',
  '--workspace',
  '--registry',
  '--cache',
  '--userconfig',
]);
/** Options of Node, Bun and Deno with a value as the next word. */
const RUNTIME_VALUES = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
  '--env-file',
  '--config',
  '-c',
]);

/** The words after the options of a runner. */
function afterOptions(words: readonly string[], withValue: ReadonlySet<string>): readonly string[] {
  let at = 0;
  while (at < words.length && words[at]?.startsWith('-')) {
    if (words[at] === '--') return words.slice(at + 1);
    at += withValue.has(words[at] ?? '') ? 2 : 1;
  }
  return words.slice(at);
}

function run(words: readonly string[]): PackageCall | undefined {
  const [program = '', ...args] = afterOptions(words, RUNNER_VALUES);
  // `npm exec PACKAGE -- …` has two dashes after the name.
  return withArgs(spec(program), args[0] === '--' ? args.slice(1) : args);
}

function script(words: readonly string[]): PackageCall | undefined {
  const [program = '', ...args] = afterOptions(words, RUNTIME_VALUES);
  return named(program, args);
}

/** A script inside a package's folder, a launcher of npm, or `npm:NAME` of Deno. */
function named(program: string, args: readonly string[]): PackageCall | undefined {
  if (program.startsWith('npm:')) return withArgs(spec(program.slice(4)), args);
  const path = program.replaceAll('\\', '/');
  const folder =
    /(?:^|\/)(mcp-remote|mcp-drawbridge)(?:@[^/]*)?(?:\/(?:[^/]+\/)*)?dist\/(?:proxy|client|launch|main)\.c?js$/.exec(
      path,
    )?.[1];
  if (folder !== undefined) return { name: folder, version: undefined, args };
  const name = programName(program);
  if (name === 'drawbridge') return { name: 'mcp-drawbridge', version: undefined, args };
  return name === 'mcp-remote' || name === 'mcp-drawbridge' ? { name, version: undefined, args } : undefined;
}

/** `mcp-remote@latest` → its name and version. */
function spec(text: string): Omit<PackageCall, 'args'> | undefined {
  const [, name, version] = /^((?:@[\w.-]+\/)?[\w.-]+)(?:@(.+))?$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name: name === 'drawbridge' ? 'mcp-drawbridge' : name, version };
}

function withArgs(
  found: Omit<PackageCall, 'args'> | undefined,
  args: readonly string[],
): PackageCall | undefined {
  return found && { ...found, args };
}

/** `cmd /c npx …`: as words, or as one. */
function throughCmd(words: readonly string[]): PackageCall | undefined {
  const at = words.findIndex((word) => /^\/[ck]$/i.test(word));
  const rest = words.slice(at + 1);
  if (at === -1) return undefined;
  return packageCall(rest.length === 1 ? plainWords(rest[0] ?? '') : rest);
}

function throughShell(words: readonly string[]): PackageCall | undefined {
  const at = words.findIndex((word) => /^-[a-z]*c$/.test(word));
  const [line = ''] = words.slice(at + 1);
  const inner = at === -1 ? [] : plainWords(line.replace(/^\s*exec\s+/, ''));
  return inner.length === 0 ? undefined : packageCall(inner);
}

/** The words of a command line if the shell interprets nothing in it but quotes around a whole word; else none. */
function plainWords(line: string): readonly string[] {
  const words = Array.from(line.matchAll(/"([^"$`\\]*)"|'([^']*)'|([^\s"']+)|\S/g));
  const isPlain = words.every(([whole, double, single, bare]) => {
    if (double !== undefined || single !== undefined) return true;
    return (
      bare !== undefined &&
      whole.length === bare.length &&
      !/[$`|&;<>()*?%^]/.test(bare.replace(/^https?:\/\/[^$`|;<>()%^]*$/, ''))
    );
  });
  return isPlain ? words.map(([, double, single, bare]) => double ?? single ?? bare ?? '') : [];
}
