import { UsageError } from '../../errors.ts';
import { unsupportedCommands } from './unsupported.ts';

/** What can be asked for beside the bridge, which needs no word. */
export const commands = [
  'login',
  'logout',
  'status',
  'token',
  'tokens export',
  'tokens import',
  'import-mcp-remote',
] as const;

export type Command = 'bridge' | (typeof commands)[number];

export interface CommandWords {
  readonly command: Command | 'help' | 'version' | 'presets';
  /** The arguments without the words of the command. */
  readonly rest: readonly string[];
  /** `token --header`, a switch here: what goes to the MCP server is none of this command's business. */
  readonly wholeHeader: boolean;
}

/** Which command the arguments ask for. A first word that is none is an address, or a mistake for later. */
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
  if (unsupportedCommands.includes(first)) throw new UsageError(`the command ${first} is not built yet`);
  if (first === 'tokens') {
    if (second === 'export' || second === 'import') return as(`tokens ${second}`, 2);
    throw new UsageError('tokens needs to know what to do', { hint: 'tokens export URL, or tokens import' });
  }
  const command = commands.find((each) => each === first);
  if (command === undefined) return as('bridge', 0);
  return as(command, 1, command === 'token' && flags.has('--header'));
}
