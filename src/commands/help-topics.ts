import type { HelpTopic } from '../config/commands/help-topic.ts';
import type { OptionName } from '../config/options/options.ts';

/** What `--help` says of one command. */
export interface CommandHelp {
  readonly usage: string;
  /** One line in the list of commands. */
  readonly line: string;
  /** What it does, in short lines. */
  readonly about: readonly string[];
  /** Options that are often wanted with it. */
  readonly often: readonly OptionName[];
}

const SHAPED = 'Give it the sign-in options of the bridge: they are part of which login is meant.';

export const commandHelp: Readonly<Record<Exclude<HelpTopic, 'all'>, CommandHelp>> = {
  login: {
    usage: 'login URL',
    line: 'sign in now, in front of you',
    about: [
      'Opens the browser and waits until you have signed in; bridges that wait for it go on by themselves.',
      'With --no-browser it shows the address and takes the one at which your browser ended, pasted back.',
      'With --grant device_code it shows a code for another device. With a grant that asks nobody, it tries it.',
      SHAPED,
    ],
    often: ['force', 'no-browser', 'profile', 'scope', 'client-id', 'grant', 'auth-timeout'],
  },
  logout: {
    usage: 'logout URL | logout --all',
    line: 'revoke and forget the login',
    about: [
      'Revokes the tokens at the server (RFC 7009) and forgets them here. Exit code 1: forgotten, but not revoked.',
      SHAPED,
    ],
    often: ['all', 'profile'],
  },
  status: {
    usage: 'status [URL]',
    line: 'the logins there are',
    about: [
      'Shows the logins on this machine: account, scopes, expiry, the last refresh, a sign-in that waits with its',
      'address, and which process is at work on it. Exit code 3: a sign-in is needed for URL.',
    ],
    often: ['json', 'profile'],
  },
  token: {
    usage: 'token URL [--header]',
    line: 'a valid access token on stdout, for curl and scripts',
    about: [
      'Prints the access token and nothing else, refreshed if need be; with --header the whole header:',
      '  curl -H "$(mcp-drawbridge token https://example.com/mcp --header)" …',
      SHAPED,
    ],
    often: ['profile', 'scope', 'client-id', 'grant'],
  },
  'tokens export': {
    usage: 'tokens export URL',
    line: 'the whole login as JSON, for where nobody can sign in',
    about: [
      'Prints it on stdout; it holds secrets. `tokens import` and MCP_DRAWBRIDGE_CREDENTIALS take it.',
      SHAPED,
    ],
    often: ['profile'],
  },
  'tokens import': {
    usage: 'tokens import [URL] [FILE]',
    line: 'takes it over, from stdin without FILE',
    about: ['Without URL the server is the one that the login names.', SHAPED],
    often: ['force', 'profile'],
  },
  'import-mcp-remote': {
    usage: 'import-mcp-remote URL',
    line: 'takes over the login that mcp-remote has',
    about: [
      'Looks in ~/.mcp-auth, or where MCP_REMOTE_CONFIG_DIR says; its files stay as they are.',
      'Write the address, --header and --resource as in the config of mcp-remote.',
    ],
    often: ['force', 'header', 'resource', 'profile'],
  },
  presets: {
    usage: 'presets',
    line: 'what --preset knows of vendors',
    about: ['Lists the names for --preset, and what each sets.'],
    often: [],
  },
};
