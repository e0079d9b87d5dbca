import { UsageError } from '../../errors.ts';
import { quote, quoteAddress, shownAddress } from '../../protocol/quote.ts';
import { type Command, commands } from '../commands/commands.ts';
import { nearest } from '../commands/nearest.ts';
import { unsupportedCommands } from '../commands/unsupported.ts';
import type { Given } from '../options/option.ts';
import type { OptionName } from '../options/options.ts';
import type { CommandLine } from './command-line.ts';

export interface Positionals {
  readonly given: ReadonlyMap<OptionName, readonly Given[]>;
  /** What `tokens import` reads; `-` is stdin. */
  readonly file?: string | undefined;
}

/** `URL [PORT]`, as mcp-remote has them, joined to the flags that mean the same; `tokens import [URL] [FILE]`. */
export function withPositionals(commandLine: CommandLine, command: Command): Positionals {
  if (command !== 'tokens import') return { given: withUrlAndPort(commandLine) };
  const { given, positionals } = commandLine;
  const urls = positionals.filter((text) => /^https?:/i.test(text));
  const [file, extra] = positionals.filter((text) => !urls.includes(text));
  if (extra !== undefined)
    throw new UsageError(`too many arguments: expected URL and FILE, got ${quote(extra)}`);
  return {
    given: withUrlAndPort({ given, positionals: urls }),
    file,
  };
}

function withUrlAndPort(commandLine: CommandLine): ReadonlyMap<OptionName, readonly Given[]> {
  const given = new Map(commandLine.given);
  // Next to a header that was broken at a space, an argument too many can be the secret's second half.
  const hidden = given.has('header');
  const [url, port, extra] = commandLine.positionals;
  if (extra !== undefined) {
    throw new UsageError(
      hidden
        ? 'too many arguments; perhaps a header was broken at a space'
        : `too many arguments: expected URL and PORT, got ${quote(extra)} as well`,
      { hint: hidden ? `write 'Name:\${VARIABLE}', or use --header-file` : 'see --help' },
    );
  }
  if (url !== undefined) {
    if (!URL.canParse(url) || isHostAndPort(url)) throw notAnAddress(url, hidden);
    add(given, 'url', { text: url, place: 'URL', source: 'flag', hidden: true });
  }
  if (port !== undefined) {
    // What is no number may be the value of a header that some other command takes.
    const isShown = !hidden && /^-?\d{1,9}$/.test(port);
    add(given, 'callback-port', {
      text: port,
      place: 'PORT',
      source: 'flag',
      ...(isShown ? {} : { hidden: true }),
    });
  }
  return given;
}

function add(given: Map<OptionName, readonly Given[]>, name: OptionName, value: Given): void {
  if (given.has(name))
    throw new UsageError(`${value.place} was given twice: as an argument and as --${name}`);
  given.set(name, [value]);
}

/** `localhost:3000/mcp` parses as a URL of the scheme `localhost`. */
const isHostAndPort = (text: string) => /^[\w.-]+:\d+(\/|$)/.test(text);

function notAnAddress(text: string, hidden: boolean): UsageError {
  const expected = 'expected the address of an MCP server, such as https://example.com/mcp';
  if (hidden) return new UsageError(`URL: ${expected}`);
  const got = `URL: ${expected}; got ${quoteAddress(text)}`;
  if (/^[\w-]+(\.[\w-]+)+(:\d+)?(\/|$)/.test(text)) {
    return new UsageError(got, { hint: `did you mean https://${shownAddress(text)}?` });
  }
  const command = nearest(text, ['help', 'version', 'presets', ...commands, ...unsupportedCommands]);
  if (command === undefined) return new UsageError(got);
  return new UsageError(got, {
    hint: unsupportedCommands.includes(command)
      ? `the command ${command} is not built yet`
      : `did you mean the command ${command}?`,
  });
}
