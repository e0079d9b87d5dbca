import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { isLoopback } from '../platform/http/loopback.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import type { KeychainKind } from '../protocol/keychain-kind.ts';
import { quote } from '../protocol/quote.ts';
import { type BundleConfig, bundleConfig } from './bundle-settings.ts';
import { type Command, type CommandWords, commandWords } from './commands/commands.ts';
import { type HelpTopic, helpTopics } from './commands/help-topic.ts';
import { type EntryOptions, entryOptions } from './entry-options.ts';
import { type NonInteractiveReason, nonInteractiveReason } from './interactive.ts';
import { type LoginCommand, loginCommand } from './login-command.ts';
import { type OAuthConfig, type OAuthConfigDeps, readOAuthConfig } from './oauth-config.ts';
import { isServerName } from './options/install-options.ts';
import type { Environment } from './sources/environment.ts';
import type { Header } from './sources/headers.ts';
import type { KeychainAction } from './sources/positionals.ts';
import { fileMode } from './sources/read-file.ts';
import { type ReadSettings, readSettings } from './sources/settings.ts';
import { readStoreConfig, type StoreConfig, type StoreConfigDeps, withMoveTarget } from './store-config.ts';

export type { KeyFile, SharedStoreConfig, StoreConfig, StoreKeys } from './store-config.ts';
export { readKeyFile } from './store-config.ts';

/** All settings, checked. No other code reads settings from argv, the environment or a file. */
export interface Config {
  readonly server: URL;
  readonly oauth: OAuthConfig;
  readonly allowHttp: boolean;
  /** Headers for the MCP origin only; expanded and checked. */
  readonly headers: readonly Header[];
  /** One of the headers is `Authorization`: OAuth is off. */
  readonly staticAuthorization: boolean;
  readonly transport: 'auto' | 'http' | 'sse' | 'sse-first';
  readonly authTimeoutMs: number;
  readonly caFile?: string | undefined;
  /** The client certificate for a server that requires one (mutual TLS). */
  readonly clientCertificate?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly cookies: boolean;
  readonly pingIntervalMs?: number | undefined;
  readonly wait: boolean;
  readonly openBrowser: boolean;
  /** The command that signs in with the same settings from a terminal. */
  readonly loginCommand: LoginCommand;
  /** Present if nobody can sign in here, so that no browser and no listener is opened; says why. */
  readonly nonInteractiveReason?: NonInteractiveReason | undefined;
  readonly store: StoreConfig;
  /** The text of MCP_DRAWBRIDGE_CREDENTIALS, not parsed yet. */
  readonly credentials?: string | undefined;
  /** Which tools the host may see and call; absent if nothing restricts them. Patterns as in `--allow-tool` and `--deny-tool`. */
  readonly tools?: ToolSettings | undefined;
  readonly maxMessageBytes: number;
  readonly connectTimeoutMs: number;
  readonly home?: string | undefined;
  /** The keychain whose key seals the logins on disk. */
  readonly keychain?: KeychainKind | undefined;
  readonly log: { readonly debug: boolean; readonly silent: boolean; readonly format: 'text' | 'json' };
}

/** The values of `--allow-tool`, `--deny-tool` and `--read-only`. */
export interface ToolSettings {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly readOnly: boolean;
}

/** The settings of the commands; some of them need no server. */
export interface CommandConfig extends Omit<Config, 'server'> {
  readonly server?: URL | undefined;
  /** The profile that the user gave; without one, `status` shows all profiles. */
  readonly onlyProfile?: string | undefined;
  /** MCP_DRAWBRIDGE_TOKEN. */
  readonly token?: string | undefined;
  readonly force: boolean;
  readonly all: boolean;
  /** `store key`: one more key in the file. */
  readonly add: boolean;
  /** `move`: the way back, from the shared store to the folder of this machine. */
  readonly isMoveToFile: boolean;
  readonly json: boolean;
  /** `keychain on`, `off` or `status`. */
  readonly keychainAction?: KeychainAction | undefined;
  /** `keychain on --backend`. */
  readonly backend?: KeychainKind | undefined;
  /** `token --header`. */
  readonly wholeHeader: boolean;
  /** Of the command `bundle`. */
  readonly bundle?: BundleConfig | undefined;
  /** `tokens import FILE`. */
  readonly file?: string | undefined;
  readonly install: InstallSettings;
}

/** The settings of `install` and `uninstall`. */
export interface InstallSettings {
  readonly hosts: readonly string[];
  readonly name?: string | undefined;
  /** `uninstall`: an address, or the name of an entry. */
  readonly target?: string | undefined;
  readonly isProject: boolean;
  readonly isDryRun: boolean;
  readonly isPrint: boolean;
  readonly isYes: boolean;
  readonly isNpx: boolean;
  readonly replace?: 'mcp-remote' | undefined;
  readonly entry: EntryOptions;
}

/** The command to run, with its settings. */
export type ParsedCommand =
  | { readonly command: 'bridge'; readonly config: Config; readonly warnings: readonly string[] }
  | {
      readonly command: Exclude<Command, 'bridge'>;
      readonly config: CommandConfig;
      readonly warnings: readonly string[];
    }
  | { readonly command: 'help'; readonly topics: readonly HelpTopic[] }
  | { readonly command: 'presets' }
  | { readonly command: 'version' };

/** Default values of the options that have a unit. */
export const defaults = {
  /** Enough time to find the password, the second factor and the right account. */
  authTimeoutMs: 300_000,
  /** Short enough to notice an unreachable server before a host gives up on its request. */
  connectTimeoutMs: 10_000,
  /** Larger than any ordinary message seen; small enough to hold several of them in memory. */
  maxMessageBytes: 32 * 1024 ** 2,
} as const;

/** Reads the arguments (without `node` and the script), the environment and files. Throws UsageError or ConfigError. */
export function loadConfig(
  argv: readonly string[],
  environment: Environment,
  readFile: (path: string) => string,
  modeOf: StoreConfigDeps['modeOf'] = fileMode,
): ParsedCommand {
  const words = commandWords(argv);
  const { command } = words;
  if (command === 'help') return { command, topics: helpTopics(argv) };
  if (command === 'version' || command === 'presets') return { command };
  const read = readSettings(words.rest, environment, readFile, command);
  const server = read.settings.url;
  if (server !== undefined) checkServer(server, read.settings['allow-http'] ?? false);
  const [settings, effective] =
    command === 'move' ? withMoveTarget(read.settings, read.effective) : [read.settings, read.effective];
  const { store, warnings: storeWarnings } = NEED_NO_STORE.some((each) => each === command)
    ? WITHOUT_STORE
    : readStoreConfig(settings, effective, { readFile, modeOf });
  const warnings = [...read.warnings, ...storeWarnings];
  const common = commonConfig(read, store, command, { environment, readFile });
  if (command !== 'bridge') return { command, config: commandConfig(words, read, common), warnings };
  if (server === undefined) throw noServer();
  return { command, config: { ...common, server }, warnings };
}

/** The config of a program that passes its settings itself, including the address. Throws UsageError or ConfigError. */
export function configOf(read: ReadSettings, deps: OAuthConfigDeps): Config {
  const { url: server, 'allow-http': allowHttp = false } = read.settings;
  if (server === undefined) throw noServer();
  checkServer(server, allowHttp);
  const { store } = readStoreConfig(read.settings, read.effective, { ...deps, modeOf: fileMode });
  return { ...commonConfig(read, store, 'bridge', deps), server };
}

function noServer(...words: readonly string[]): UsageError {
  return new UsageError('the address of the MCP server is missing', {
    hint: `${ownCommand(...words, 'https://example.com/mcp')}; see --help`,
  });
}

function checkServer(server: URL, allowHttp: boolean): void {
  if (server.protocol === 'http:' && !isLoopback(server) && !allowHttp) {
    throw new UsageError(
      `the server's address is plain http: everyone between here and ${server.host} could read the tokens`,
      {
        hint: 'use https://, or add --allow-http if the network between is trusted',
      },
    );
  }
}

function commonConfig(
  read: ReadSettings,
  store: StoreConfig,
  command: Command,
  deps: OAuthConfigDeps,
): Omit<Config, 'server'> {
  const { settings, headers: given, authorizeParams, effective } = read;
  const { ca, cert, key, home, token, credentials } = settings;
  // An explicit header takes precedence over MCP_DRAWBRIDGE_TOKEN.
  const isGiven = given.some(([name]) => name.toLowerCase() === 'authorization');
  const headers: readonly Header[] =
    token === undefined || isGiven ? given : [...given, ['Authorization', `Bearer ${token}`]];
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key only work together', {
      hint: 'pass the certificate with --cert FILE and its private key with --key FILE',
    });
  }
  const oauth = readOAuthConfig(settings, authorizeParams, deps);
  if (settings.keychain !== undefined && store.kind === 'shared') {
    throw new UsageError('--keychain is for logins in files, and --store names another place', {
      hint: 'what is in a shared store is always sealed, under the key of that store',
    });
  }
  const isSharedBridge = store.kind === 'shared' && command === 'bridge';
  // A code to enter elsewhere is as good from any machine, but its page is not.
  const isUnasked = isSharedBridge && settings.interactive !== true;
  const nobody = nonInteractiveReason(settings, deps.environment, isUnasked && oauth.grant !== 'device_code');
  return {
    oauth,
    allowHttp: settings['allow-http'] ?? false,
    headers,
    staticAuthorization: isGiven || token !== undefined,
    transport: settings.transport ?? 'auto',
    authTimeoutMs: settings['auth-timeout'] ?? defaults.authTimeoutMs,
    caFile: ca && resolve(ca),
    clientCertificate: cert && key ? { certFile: resolve(cert), keyFile: resolve(key) } : undefined,
    cookies: !(settings['no-cookies'] ?? false),
    pingIntervalMs: settings['ping-interval'],
    wait: settings.wait ?? false,
    openBrowser: !(settings['no-browser'] ?? false) && !isUnasked,
    loginCommand: loginCommand(effective),
    nonInteractiveReason: nobody,
    store,
    credentials,
    tools: toolSettings(read),
    maxMessageBytes: settings['max-message-size'] ?? defaults.maxMessageBytes,
    connectTimeoutMs: settings['connect-timeout'] ?? defaults.connectTimeoutMs,
    home: home && resolve(home),
    keychain: store.kind === 'file' ? settings.keychain : undefined,
    log: {
      debug: settings.debug ?? false,
      silent: settings.silent ?? false,
      format: settings['log-format'] ?? 'text',
    },
  };
}

function toolSettings({ settings, allowTools, denyTools }: ReadSettings): ToolSettings | undefined {
  const readOnly = settings['read-only'] ?? false;
  if (allowTools.length === 0 && denyTools.length === 0 && !readOnly) return undefined;
  return { allow: allowTools, deny: denyTools, readOnly };
}

/** These read no login; settings of the environment that other commands need are not checked. */
const NEED_NO_STORE: readonly Command[] = ['bundle', 'hosts', 'uninstall', 'store key', 'keychain'];
const WITHOUT_STORE = { store: { kind: 'file' }, warnings: [] } as const;

const NEED_SERVER: readonly Command[] = [
  'login',
  'move',
  'token',
  'tokens export',
  'import-mcp-remote',
  'install',
];

function commandConfig(
  { command, wholeHeader }: CommandWords,
  read: ReadSettings,
  common: Omit<Config, 'server'>,
): CommandConfig {
  const { settings, file } = read;
  const {
    url: server,
    profile,
    token,
    force = false,
    all = false,
    add = false,
    json = false,
    replace,
  } = settings;
  const isOfAll = (command === 'logout' && all) || replace !== undefined;
  const needsServer = (NEED_SERVER.some((each) => each === command) || command === 'logout') && !isOfAll;
  if (command === 'uninstall' && read.target === undefined) {
    throw new UsageError('what to uninstall is missing: the name of a server in a host, or its address', {
      hint: `${ownCommand('uninstall', 'https://example.com/mcp')}; \`hosts\` lists what is installed`,
    });
  }
  if (server === undefined && needsServer) throw noServer(...command.split(' '));
  if (command === 'store reseal' && common.store.kind !== 'shared')
    throw new UsageError('store reseal needs --store or --store-file with the address of a shared store');
  return {
    ...common,
    server,
    onlyProfile: profile,
    backend: settings.backend,
    keychainAction: read.keychainAction,
    token,
    force,
    all,
    add,
    isMoveToFile: settings.to === 'file',
    json,
    wholeHeader,
    file,
    bundle: command === 'bundle' ? bundleConfig(read, server) : undefined,
    install: installSettings(read, command === 'install'),
  };
}

function installSettings(
  { settings, effective, hosts, target }: ReadSettings,
  hasEntry: boolean,
): InstallSettings {
  if (hasEntry && settings.name !== undefined && !isServerName(settings.name)) {
    throw new UsageError(
      `--name: expected letters, digits, dashes and underscores, at most 40, and no name that a host reserves; got ${quote(settings.name)}`,
    );
  }
  return {
    hosts,
    name: settings.name,
    target,
    isProject: settings.project ?? false,
    isDryRun: settings['dry-run'] ?? false,
    isPrint: settings.print ?? false,
    isYes: settings.yes ?? false,
    isNpx: settings.npx ?? false,
    replace: settings.replace,
    entry: entryOptions(hasEntry ? effective : new Map()),
  };
}
