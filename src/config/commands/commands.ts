import { UsageError } from '../../errors.ts';

/** The commands besides the bridge, which has no name on the command line. */
export const commands = [
  'login',
  'logout',
  'status',
  'token',
  'tokens export',
  'tokens import',
  'import-mcp-remote',
  'bundle',
  'install',
  'uninstall',
  'hosts',
  'doctor',
  'store key',
  'store reseal',
  'keychain',
  'move',
] as const;

/** A command that runs; `bridge` is the default. */
export type Command = 'bridge' | (typeof commands)[number];

/** The command and its arguments. */
export interface CommandWords {
  readonly command: Command | 'help' | 'version' | 'presets';
  /** The arguments without the words of the command. */
  readonly rest: readonly string[];
  /** `token --header`: for this command `--header` is a switch, since it sends nothing to the MCP server. */
  readonly wholeHeader: boolean;
}

/** The command that the arguments name. A first word that is not a command is taken for the address, which is checked later. Throws UsageError. */
export function commandWords(argv: readonly string[]): CommandWords {
  const end = argv.indexOf('--');
  const flags = new Set(end === -1 ? argv : argv.slice(0, end));
  const [first = '', second = ''] = argv;
  const as = (command: CommandWords['command'], words: number, wholeHeader = false): CommandWords => ({
    command,
    rest: argv.slice(words).filter((argument) => !wholeHeader || argument !== '--header'),
    wholeHeader,
  });
  if (first === 'help' || flags.has('--help') || flags.has('-h')) return as('help', 0);
  if (first === 'version' || flags.has('--version') || flags.has('-v')) return as('version', 0);
  if (first === 'presets') return as('presets', 0);
  if (first === 'tokens') {
    if (second === 'export' || second === 'import') return as(`tokens ${second}`, 2);
    throw new UsageError('tokens needs a subcommand', { hint: 'tokens export URL, or tokens import' });
  }
  if (first === 'store') {
    if (second === 'key' || second === 'reseal') return as(`store ${second}`, 2);
    throw new UsageError('store needs a subcommand', { hint: 'store key [FILE], or store reseal' });
  }
  const command = commands.find((each) => each === first);
  if (command === undefined) return as('bridge', 0);
  return as(command, 1, command === 'token' && flags.has('--header'));
}
