import { environmentName, type Option, type OptionGroup } from '../config/option.ts';
import { options } from '../config/options.ts';

/** Narrow enough for half a screen, wide enough for one line per option. */
export const HELP_MAX_COLUMNS = 100;

/** What `--help` prints; the options come from their table. */
export function helpText(): string {
  const groups = new Map<OptionGroup, string[]>();
  for (const [name, option] of Object.entries(options) as [string, Option][]) {
    groups.set(option.group, [...(groups.get(option.group) ?? []), ...optionLines(name, option)]);
  }
  const sections = [...groups].map(([group, lines]) => `${group}\n${lines.join('\n')}\n`);
  return `${[HEAD, ...sections, TAIL].join('\n')}`;
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

const HEAD = `mcp-drawbridge: lets a local MCP host reach a remote MCP server, with one login for all instances

  mcp-drawbridge URL [PORT] [options]     what a host starts
  mcp-drawbridge login URL                sign in now, in front of you
  mcp-drawbridge logout URL               revoke and forget the login
  mcp-drawbridge status [URL]             the logins there are
  mcp-drawbridge token URL [--header]     a valid access token on stdout, for curl and scripts
  mcp-drawbridge tokens export URL        the whole login as JSON, for where nobody can sign in
  mcp-drawbridge tokens import [FILE]     takes it over, from stdin without FILE
  mcp-drawbridge import-mcp-remote URL    takes over the login that mcp-remote has
`;

const TAIL = `Every option can also come from the environment, such as ${environmentName('auth-timeout')}=60
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

Exit codes: 0 done, 1 failed, 2 bad arguments or settings, 3 a person has to sign in
`;
