import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { isLoopback } from '../platform/http/loopback.ts';
import { type Command, type CommandWords, commandWords } from './commands/commands.ts';
import { type HelpTopic, helpTopics } from './commands/help-topic.ts';
import { type NonInteractiveReason, nonInteractiveReason } from './interactive.ts';
import { type LoginCommand, loginCommand } from './login-command.ts';
import { type ClientConfig, type ClientConfigTools, readClientConfig } from './oauth-config.ts';
import { presetOf } from './options/presets.ts';
import type { Environment } from './sources/environment.ts';
import type { Header } from './sources/headers.ts';
import { type ReadSettings, readSettings } from './sources/settings.ts';

/** Everything the program was told, checked once. Nothing else reads argv, the environment or a file for settings. */
export interface Config {
  readonly server: URL;
  readonly profile: string;
  readonly resource?: string;
  readonly scope?: string;
  readonly oauth: ClientConfig;
  readonly allowHttp: boolean;
  readonly assumePkce: boolean;
  /** For the MCP origin alone; expanded and checked. */
  readonly headers: readonly Header[];
  /** One of the headers is `Authorization`: OAuth is off. */
  readonly staticAuthorization: boolean;
  readonly transport: 'auto' | 'http' | 'sse' | 'sse-first';
  readonly callback: { readonly host: string; readonly port?: number; readonly path: string };
  readonly authTimeoutMs: number;
  readonly caFile?: string;
  /** What this program shows of itself to a server that asks (mutual TLS). */
  readonly clientCertificate?: { readonly certFile: string; readonly keyFile: string };
  readonly cookies: boolean;
  readonly pingIntervalMs?: number;
  readonly wait: boolean;
  readonly openBrowser: boolean;
  /** The same login from a terminal. */
  readonly loginCommand: LoginCommand;
  /** Never a browser, never a listener, and why. */
  readonly nonInteractiveReason?: NonInteractiveReason;
  readonly store: 'disk' | 'memory';
  /** MCP_DRAWBRIDGE_CREDENTIALS, not yet looked at. */
  readonly credentials?: string;
  readonly maxMessageBytes: number;
  readonly connectTimeoutMs: number;
  readonly home?: string;
  readonly log: { readonly debug: boolean; readonly silent: boolean; readonly format: 'text' | 'json' };
}

/** What the commands are told beside that; some need no server. */
export interface CommandConfig extends Omit<Config, 'server'> {
  readonly server?: URL;
  /** As the user gave it: without one, `status` shows them all. */
  readonly onlyProfile?: string;
  /** MCP_DRAWBRIDGE_TOKEN. */
  readonly token?: string;
  readonly force: boolean;
  readonly all: boolean;
  readonly json: boolean;
  /** `token --header`. */
  readonly wholeHeader: boolean;
  /** `tokens import FILE`. */
  readonly file?: string;
}

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

export const defaults = {
  profile: 'default',
  /** Redirect allow-lists name this one most often (src/auth/README.md, "Azure, Atlassian"). */
  callbackHost: '127.0.0.1',
  callbackPath: '/callback',
  /** Time to find the password, the second factor and the right account. */
  authTimeoutMs: 300_000,
  /** A black hole is noticed before a host gives up on its request. */
  connectTimeoutMs: 10_000,
  /** Larger than any honest message seen; small enough for a few of them in memory. */
  maxMessageBytes: 32 * 1024 ** 2,
} as const;

/** Arguments (without `node` and the script), environment, files → what to do. Throws UsageError or ConfigError. */
export function loadConfig(
  argv: readonly string[],
  environment: Environment,
  readFile: (path: string) => string,
  platform: NodeJS.Platform = process.platform,
): ParsedCommand {
  const words = commandWords(argv);
  const { command } = words;
  if (command === 'help') return { command, topics: helpTopics(argv) };
  if (command === 'version' || command === 'presets') return { command };
  const read = readSettings(words.rest, environment, readFile, command);
  const { warnings } = read;
  const server = read.settings.url;
  if (server !== undefined) checkServer(server, read.settings['allow-http'] ?? false);
  const common = commonConfig(read, { environment, readFile }, platform);
  if (command !== 'bridge') return { command, config: commandConfig(words, read, common), warnings };
  if (server === undefined) throw noServer('mcp-drawbridge');
  return { command, config: { ...common, server }, warnings };
}

function noServer(words: string): UsageError {
  return new UsageError('the address of the MCP server is missing', {
    hint: `${words} https://example.com/mcp; see --help`,
  });
}

function checkServer(server: URL, allowHttp: boolean): void {
  if (server.protocol === 'http:' && !isLoopback(server) && !allowHttp) {
    throw new UsageError(
      `the server's address is plain http: everyone on the way to ${server.host} could read the tokens`,
      {
        hint: 'use https://, or add --allow-http if the network between is trusted',
      },
    );
  }
}

function commonConfig(
  { settings, headers: given, authorizeParams, effective }: ReadSettings,
  tools: ClientConfigTools,
  platform: NodeJS.Platform,
): Omit<Config, 'server'> {
  const { resource, scope, ca, cert, key, home, token, credentials } = settings;
  // A header that was written out is the stronger word.
  const isGiven = given.some(([name]) => name.toLowerCase() === 'authorization');
  const headers: readonly Header[] =
    token === undefined || isGiven ? given : [...given, ['Authorization', `Bearer ${token}`]];
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key only work together', {
      hint: 'name the file of the certificate with --cert and that of its private key with --key',
    });
  }
  const pingIntervalMs = settings['ping-interval'];
  const callbackPort = settings['callback-port'];
  const preset = presetOf(settings.preset);
  const nobody = nonInteractiveReason(settings, tools.environment, platform);
  return {
    profile: settings.profile ?? defaults.profile,
    ...(resource === undefined ? {} : { resource }),
    ...(scope === undefined ? {} : { scope }),
    oauth: readClientConfig(settings, authorizeParams, tools),
    allowHttp: settings['allow-http'] ?? false,
    assumePkce: settings['assume-pkce'] ?? preset.assumePkce ?? false,
    headers,
    staticAuthorization: isGiven || token !== undefined,
    transport: settings.transport ?? 'auto',
    callback: {
      host: settings['callback-host'] ?? preset.callbackHost ?? defaults.callbackHost,
      ...(callbackPort === undefined ? {} : { port: callbackPort }),
      path: settings['callback-path'] ?? defaults.callbackPath,
    },
    authTimeoutMs: settings['auth-timeout'] ?? defaults.authTimeoutMs,
    ...(ca === undefined ? {} : { caFile: resolve(ca) }),
    ...(cert === undefined || key === undefined
      ? {}
      : { clientCertificate: { certFile: resolve(cert), keyFile: resolve(key) } }),
    cookies: !(settings['no-cookies'] ?? false),
    ...(pingIntervalMs === undefined ? {} : { pingIntervalMs }),
    wait: settings.wait ?? false,
    openBrowser: !(settings['no-browser'] ?? false),
    loginCommand: loginCommand(effective),
    ...(nobody === undefined ? {} : { nonInteractiveReason: nobody }),
    store: settings.store ?? 'disk',
    ...(credentials === undefined ? {} : { credentials }),
    maxMessageBytes: settings['max-message-size'] ?? defaults.maxMessageBytes,
    connectTimeoutMs: settings['connect-timeout'] ?? defaults.connectTimeoutMs,
    ...(home === undefined ? {} : { home: resolve(home) }),
    log: {
      debug: settings.debug ?? false,
      silent: settings.silent ?? false,
      format: settings['log-format'] ?? 'text',
    },
  };
}

const NEED_SERVER: readonly Command[] = ['login', 'token', 'tokens export', 'import-mcp-remote'];

function commandConfig(
  { command, wholeHeader }: CommandWords,
  { settings, file }: ReadSettings,
  common: Omit<Config, 'server'>,
): CommandConfig {
  const { url: server, profile, token, force = false, all = false, json = false } = settings;
  const needsServer = NEED_SERVER.some((each) => each === command) || (command === 'logout' && !all);
  if (server === undefined && needsServer) throw noServer(`mcp-drawbridge ${command}`);
  return {
    ...common,
    ...(server === undefined ? {} : { server }),
    ...(profile === undefined ? {} : { onlyProfile: profile }),
    ...(token === undefined ? {} : { token }),
    force,
    all,
    json,
    wholeHeader,
    ...(file === undefined ? {} : { file }),
  };
}
