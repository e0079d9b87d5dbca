import type { HelpTopic } from '../../config/commands/help-topic.ts';
import type { OptionName } from '../../config/options/options.ts';

/** The help text of one command. */
export interface CommandHelp {
  readonly usage: string;
  /** The line in the list of commands. */
  readonly line: string;
  /** What the command does, in lines of at most 100 columns. */
  readonly about: readonly string[];
  /** Options that are often used with it. */
  readonly often: readonly OptionName[];
}

/** Options that say where a login on many machines is. */
const SHARED = ['store', 'store-file', 'store-key-file', 'store-key-command', 'store-prefix'] as const;
const SHAPED = 'Pass the same sign-in options as for the bridge: they identify the login.';

/** The help of every command, in the order in which `--help` lists them. */
export const commandHelp: Readonly<Record<Exclude<HelpTopic, 'all'>, CommandHelp>> = {
  login: {
    usage: 'login URL',
    line: 'sign in now, in this terminal',
    about: [
      'Opens the browser and waits until you have signed in. Bridges that need the login then continue.',
      'If there is a login that the server accepts, also after a refresh, it says so and ends.',
      'With --no-browser it shows the address, and you paste back the address that the browser shows last.',
      'With --grant device_code it shows a code to enter on another device. With a grant that needs no',
      'sign-in it requests a token, to check the settings.',
      SHAPED,
    ],
    often: ['force', 'no-browser', 'profile', 'scope', 'client-id', 'grant', 'auth-timeout', 'store'],
  },
  logout: {
    usage: 'logout URL | logout --all',
    line: 'revoke and forget the login',
    about: [
      'Revokes the tokens at the server (RFC 7009) and forgets them here. Exit code 1: forgotten, but not revoked.',
      SHAPED,
    ],
    often: ['all', 'profile', 'store'],
  },
  status: {
    usage: 'status [URL]',
    line: 'list the logins',
    about: [
      'Shows the logins on this machine: account, scopes, expiry, last refresh, a pending sign-in with its',
      'address, and the process that is using the login. Exit code 3: a sign-in is needed for URL. With',
      '--store, the logins there, and the engine: epoch, round trip, clock, replicas, disk, eviction policy.',
    ],
    often: ['json', 'profile', 'store'],
  },
  doctor: {
    usage: 'doctor [URL]',
    line: 'find out what is wrong, and what to do',
    about: [
      'Checks this machine and, with URL, the whole path to the tools of the server. It changes',
      'nothing, opens no page, registers nothing and uses no refresh token. Exit code 1: something is',
      'wrong; 3: only a sign-in is missing. The output contains no secret.',
      SHAPED,
    ],
    often: ['json', 'host', 'profile', 'header', 'scope'],
  },
  token: {
    usage: 'token URL [--header]',
    line: 'print a valid access token, for curl and scripts',
    about: [
      'Prints the access token and nothing else, refreshed if necessary; with --header, the whole header:',
      '  curl -H "$(mcp-drawbridge token https://example.com/mcp --header)" …',
      SHAPED,
    ],
    often: ['profile', 'scope', 'client-id', 'grant', 'store'],
  },
  'tokens export': {
    usage: 'tokens export URL',
    line: 'print the login as JSON, for unattended machines',
    about: [
      'Prints the login on stdout; the output contains secrets.',
      '`tokens import` and MCP_DRAWBRIDGE_CREDENTIALS read it.',
      SHAPED,
    ],
    often: ['profile'],
  },
  'tokens import': {
    usage: 'tokens import [URL] [FILE]',
    line: 'import an exported login, from FILE or stdin',
    about: ['Without URL, the server named in the login is used.', SHAPED],
    often: ['force', 'profile'],
  },
  'import-mcp-remote': {
    usage: 'import-mcp-remote URL',
    line: 'import the login of mcp-remote',
    about: [
      'Looks in ~/.mcp-auth, or in MCP_REMOTE_CONFIG_DIR; the files there are not changed.',
      'Use the same address, --header and --resource as in the config of mcp-remote.',
    ],
    often: ['force', 'header', 'resource', 'profile'],
  },
  bundle: {
    usage: 'bundle [URL]',
    line: 'make an MCPB file that a desktop host installs',
    about: [
      'With URL, the file is for this server, and nothing is asked when it is installed. Without it, the',
      'host asks for the address. The options for the bridge are kept in the file; a secret is refused.',
    ],
    often: ['name', 'icon', 'output', 'force', 'scope', 'client-id'],
  },
  install: {
    usage: 'install URL',
    line: 'write the server into the hosts on this machine',
    about: [
      'Finds the hosts, shows what would change in the file of each, and asks which to change. With --host',
      'it changes these without asking. All other bytes of a file stay; `uninstall` reverts it.',
      'The options of the bridge (--profile, --scope, --client-id, …) become part of the entry. Possible',
      'secrets go into a file that only you can read.',
      'With --replace mcp-remote, and without URL, every entry that runs mcp-remote is replaced.',
    ],
    often: ['host', 'name', 'project', 'replace', 'npx', 'dry-run', 'print', 'yes', 'profile'],
  },
  uninstall: {
    usage: 'uninstall NAME | URL',
    line: 'remove the server from the hosts again',
    about: [
      'Removes the entries that run this program under NAME, or for URL, and nothing else. The login stays:',
      '`logout URL` forgets it.',
    ],
    often: ['host', 'project', 'dry-run', 'yes'],
  },
  hosts: {
    usage: 'hosts',
    line: 'list the hosts on this machine',
    about: ['Shows the file of each host, and what it runs through this program and through mcp-remote.'],
    often: ['json'],
  },
  keychain: {
    usage: 'keychain on | off | status',
    line: 'seal the logins under a key in the keychain',
    about: [
      'on: puts a key into the keychain of the system (or helper:NAME, the program docker-credential-NAME)',
      'and encrypts every login in the folder. Running bridges continue, and every process follows it, also',
      'without --keychain. It protects backups, synced folders and stolen disks, but not against other',
      'programs of yours. off: decrypts them and erases the key; hosts whose entry has --keychain seal them',
      'again. status: exit code 1 if the keychain is unavailable, or something is not sealed yet.',
    ],
    often: ['backend', 'json', 'home'],
  },
  move: {
    usage: 'move URL --to STORE',
    line: 'move a login to a shared store, or back',
    about: [
      'Moves the login of this machine to the store that --to names, so that every machine with this store and',
      'its key uses it; --to file moves it back from the store of --store. Never export and import a login for',
      'that: two copies of a login log each other out. A move that was interrupted is finished by running it again.',
      SHAPED,
    ],
    often: ['to', ...SHARED, 'force'],
  },
  'store key': {
    usage: 'store key [FILE] [--add]',
    line: 'create a key for a shared store',
    about: [
      'Creates 32 random bytes, with which logins are sealed before they leave a machine. With FILE they go into',
      'a new file that only you can read, else to stdout. Every machine of a shared store has the same key.',
      'With --add FILE gets one more, which can take the place of the first: see `store reseal`.',
    ],
    often: ['add'],
  },
  'store reseal': {
    usage: 'store reseal',
    line: 'seal every login of a shared store under its first key',
    about: [
      'After a new key has become the first one on every machine: seals each login in the store under it, beside',
      'bridges that run. Says how many it has sealed, and names what it could not. Then the old key can be taken',
      'away. Exit code 1: some are left, and need the old key still.',
    ],
    often: SHARED,
  },
  presets: {
    usage: 'presets',
    line: 'list the presets for vendors',
    about: ['Lists the names for --preset and what each of them sets.'],
    often: [],
  },
};
