import type { HelpTopic } from '../../config/commands/help-topic.ts';
import { environmentName, type Option, type OptionGroup } from '../../config/options/option.ts';
import { type OptionName, options } from '../../config/options/options.ts';
import { type CommandHelp, commandHelp } from './help-topics.ts';

/** Narrow enough for half a screen, wide enough for one line per option. */
export const HELP_MAX_COLUMNS = 100;

/** The options that users need most often; `--help all` lists the rest. */
const COMMON: readonly OptionName[] = [
  'header',
  'allow-http',
  'profile',
  'scope',
  'client-id',
  'client-secret-env',
  'grant',
  'no-browser',
  'debug',
];

/** What `--help` prints: one screen, or the help on `topics`. The options come from the option table. */
export function helpText(topics: readonly HelpTopic[] = []): string {
  if (topics.length === 0) return `${HEAD}\nCommon options\n${linesOf(COMMON)}\n${TAIL}`;
  return topics.map((topic) => (topic === 'all' ? wholeText() : commandText(commandHelp[topic]))).join('\n');
}

function wholeText(): string {
  const groups = new Map<OptionGroup, OptionName[]>();
  for (const [name, { group }] of Object.entries(options) as [OptionName, Option][]) {
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  const sections = [...groups].map(([group, names]) => `${group}\n${linesOf(names)}`);
  return [HEAD, ...sections, WHOLE_TAIL].join('\n');
}

function commandText({ usage, about, often }: CommandHelp): string {
  const own = often.length === 0 ? '' : `\n${linesOf(often)}`;
  const more = often.length === 0 ? '' : '\nEvery option: mcp-drawbridge --help all\n';
  return `mcp-drawbridge ${usage}${often.length === 0 ? '' : ' [options]'}\n\n${about.join('\n')}\n${own}${more}`;
}

function linesOf(names: readonly OptionName[]): string {
  return names
    .flatMap((name) => optionLines(name, options[name]))
    .map((line) => `${line}\n`)
    .join('');
}

const NAME_COLUMNS = 31;

function optionLines(name: string, option: Option): string[] {
  const aliases = (option.aliases ?? []).map((alias) =>
    alias.length === 1 ? `, -${alias}` : `, --${alias}`,
  );
  const shown = option.environmentOnly === true ? environmentName(name) : `--${name}`;
  const left = `  ${shown}${aliases.join('')}${option.placeholder === undefined ? '' : ` ${option.placeholder}`}`;
  const [first = '', ...rest] = wrap(option.help, HELP_MAX_COLUMNS - NAME_COLUMNS);
  const indent = ' '.repeat(NAME_COLUMNS);
  const head = left.length < NAME_COLUMNS ? [left.padEnd(NAME_COLUMNS) + first] : [left, indent + first];
  return [...head, ...rest.map((line) => indent + line)];
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const COMMAND_COLUMNS = 44;

const HEAD = `mcp-drawbridge: lets a local MCP host reach a remote MCP server, with one login for all instances

${[{ usage: 'URL [PORT] [options]', line: 'the bridge, as a host starts it' }, ...Object.values(commandHelp)]
  .map(({ usage, line }) => `  mcp-drawbridge ${usage}`.padEnd(COMMAND_COLUMNS) + line)
  .join('\n')}
`;

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 bad arguments or settings, 3 a sign-in is needed';

const TAIL = `install URL puts a server into your hosts; doctor URL says what is wrong, and what to do. By hand:
in the config of a host (Claude Desktop, Cursor, …), by its name under "mcpServers":
    { "command": "npx", "args": ["-y", "mcp-drawbridge", "https://example.com/mcp"] }

All options, the environment and config files: --help all. One command: login --help
${EXIT_CODES}
`;

const WHOLE_TAIL = `Every option can also come from the environment, such as ${environmentName('auth-timeout')}=60
or ${environmentName('debug')}=1 (in ${environmentName('header')} one header per line), or from
the file of --config. A flag wins over the environment, the environment over the file.

Examples
  In the config of a host (Claude Desktop, Cursor, …):
    {
      "mcpServers": {
        "example": {
          "command": "npx",
          "args": ["-y", "mcp-drawbridge", "https://example.com/mcp"]
        }
      }
    }
  With a static key, kept out of the arguments:
    "args": ["-y", "mcp-drawbridge", "https://example.com/mcp", "--header", "X-Api-Key:\${KEY}"],
    "env": { "KEY": "…" }
  The same as a file for --config:
    { "url": "https://example.com/mcp", "header": "X-Api-Key: \${KEY}", "wait": true }

${EXIT_CODES}
`;
