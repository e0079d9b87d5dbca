import { UsageError } from '../../errors.ts';
import { quote, quoteAddress, shownAddress } from '../../protocol/quote.ts';
import { type Command, commands } from '../commands/commands.ts';
import { nearest } from '../commands/nearest.ts';
import type { Given } from '../options/option.ts';
import type { OptionName } from '../options/options.ts';
import type { CommandLine } from './command-line.ts';

/** The options including those given as plain arguments. */
export interface Positionals {
  readonly given: ReadonlyMap<OptionName, readonly Given[]>;
  /** The file that `tokens import` reads, `-` being stdin, or that `store key` writes. */
  readonly file?: string | undefined;
  /** The target of `uninstall`: an address, or the name of an entry. */
  readonly target?: string | undefined;
  /** The action of `keychain`. */
  readonly keychainAction?: KeychainAction | undefined;
}

/** The action of the command `keychain`. */
export type KeychainAction = (typeof KEYCHAIN_ACTIONS)[number];
const KEYCHAIN_ACTIONS = ['on', 'off', 'status'] as const;

/** Adds the plain arguments to the options: `URL [PORT]`, as with mcp-remote, or `tokens import [URL] [FILE]`. Throws UsageError. */
export function withPositionals(commandLine: CommandLine, command: Command): Positionals {
  const { given, positionals } = commandLine;
  if (command === 'uninstall') {
    const [target, extra] = positionals;
    if (extra !== undefined)
      throw new UsageError(`too many arguments: expected NAME or URL, got ${quote(extra)} as well`);
    return { given, target };
  }
  if (command === 'keychain') {
    const [action, extra] = positionals;
    const keychainAction = KEYCHAIN_ACTIONS.find((each) => each === action);
    if (keychainAction !== undefined && extra === undefined) return { given, keychainAction };
    throw new UsageError(`keychain: expected on, off or status; got ${quote(positionals.join(' '))}`, {
      hint: 'it applies to all logins in the folder',
    });
  }
  if (command === 'hosts' && positionals.length > 0)
    throw new UsageError('hosts takes no arguments besides options', {
      hint: 'it lists every host; --json is for programs',
    });
  if (command === 'store reseal' && positionals.length > 0)
    throw new UsageError('store reseal takes no arguments besides options', {
      hint: 'it applies to all logins in the store',
    });
  if (command === 'store key') {
    const [file, extra] = positionals;
    if (extra !== undefined)
      throw new UsageError(`too many arguments: expected FILE, got ${quote(extra)} as well`);
    return { given, file };
  }
  if (command !== 'tokens import') return { given: withUrlAndPort(commandLine) };
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
  // If a host split a header at a space, the extra argument may be the second half of a secret.
  const hidden = given.has('header');
  const [url, port, extra] = commandLine.positionals;
  if (extra !== undefined) {
    throw new UsageError(
      hidden
        ? 'too many arguments; perhaps a header was split at a space'
        : `too many arguments: expected URL and PORT, got ${quote(extra)} as well`,
      { hint: hidden ? `write 'Name:\${VARIABLE}', or use --header-file` : 'see --help' },
    );
  }
  if (url !== undefined) {
    if (!URL.canParse(url) || isHostAndPort(url)) throw notAnAddress(url, hidden);
    add(given, 'url', { text: url, place: 'URL', source: 'flag', hidden: true });
  }
  if (port !== undefined) {
    // A text that is not a number may be the value of a header, as other commands take it.
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
  const command = nearest(text, ['help', 'version', 'presets', ...commands]);
  if (command === undefined) return new UsageError(got);
  return new UsageError(got, {
    hint: `did you mean the command ${command}?`,
  });
}
