import type { Command } from '../commands/commands.ts';
import {
  anyText,
  byteCount,
  callbackPath,
  filePath,
  keychain,
  loopbackHost,
  oneOf,
  onOff,
  port,
  profileName,
  resourceIndicator,
  scopeList,
  seconds,
  zeroOnly,
} from './checks.ts';
import { commandOptions } from './command-options.ts';
import { installOptions } from './install-options.ts';
import { clientOptions } from './oauth-options.ts';
import type { Option } from './option.ts';
import { serverUrl } from './server-url.ts';
import { storeOptions } from './store-options.ts';
import { toolOptions } from './tool-options.ts';

const DAY_S = 86_400;
/** Far above any message seen in practice; a line of this size has to fit into memory as a whole. */
const MESSAGE_MOST_BYTES = 1024 ** 3;
/** With less, not even the answer to `initialize` of an ordinary server fits. */
const MESSAGE_LEAST_BYTES = 64 * 1024;

/** All options, in the order of `--help`. */
export const options = {
  url: {
    group: 'Server',
    placeholder: 'URL',
    help: 'the MCP server; also the first argument',
    secret: true, // some servers carry an API key in it
    login: 'key',
    schema: serverUrl,
  },
  header: {
    group: 'Server',
    placeholder: "'Name: value'",
    help: `send this header to the server, and only there; \${VAR} is expanded; repeatable`,
    repeatable: true,
    secret: true,
    login: 'sign-in',
    schema: anyText,
  },
  'header-file': {
    group: 'Server',
    placeholder: 'FILE',
    help: "headers, one 'Name: value' per line, # comments; repeatable",
    repeatable: true,
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  transport: {
    group: 'Server',
    placeholder: 'KIND',
    help: 'auto, http, sse or sse-first (default: auto)',
    schema: oneOf({
      auto: 'auto',
      'http-first': 'auto',
      http: 'http',
      'http-only': 'http',
      sse: 'sse',
      'sse-only': 'sse',
      'sse-first': 'sse-first',
    }),
  },
  'allow-http': {
    group: 'Server',
    help: 'allow plain http to a server that is not on this machine',
    login: 'sign-in',
    schema: onOff,
  },
  ca: {
    group: 'Server',
    placeholder: 'FILE',
    help: 'also trust the certificates in this PEM file',
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  cert: {
    group: 'Server',
    placeholder: 'FILE',
    help: 'client certificate (PEM) for a server that requires one; with --key',
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  key: {
    group: 'Server',
    placeholder: 'FILE',
    help: 'the private key (PEM) of --cert',
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  'no-cookies': {
    group: 'Server',
    help: "do not send the server's own cookies back to it",
    aliases: ['disable-cookies'],
    schema: onOff,
  },
  'ping-interval': {
    group: 'Server',
    placeholder: 'SECONDS',
    help: 'ping an idle server this often (default: never)',
    schema: seconds({ least: 1, most: DAY_S }),
  },
  'connect-timeout': {
    group: 'Server',
    placeholder: 'SECONDS',
    help: 'time limit for making a connection (default: 10)',
    schema: seconds({ least: 0.1, most: 600 }),
  },
  'max-message-size': {
    group: 'Server',
    placeholder: 'BYTES',
    help: 'largest single message in either direction (default: 32MiB)',
    schema: byteCount({ least: MESSAGE_LEAST_BYTES, most: MESSAGE_MOST_BYTES }),
  },

  profile: {
    group: 'Sign-in',
    placeholder: 'NAME',
    help: 'a separate login for the same server (default: default)',
    login: 'key',
    schema: profileName,
  },
  scope: {
    group: 'Sign-in',
    placeholder: "'A B'",
    help: 'request these scopes instead of those named by the server',
    login: 'key',
    schema: scopeList,
  },
  resource: {
    group: 'Sign-in',
    placeholder: 'URI',
    help: 'resource indicator (RFC 8707) instead of the one named by the server',
    login: 'key',
    schema: resourceIndicator,
  },
  'callback-host': {
    group: 'Sign-in',
    placeholder: 'HOST',
    help: 'localhost or [::1] in the redirect URI (default: 127.0.0.1)',
    aliases: ['host'],
    login: 'sign-in',
    schema: loopbackHost,
  },
  'callback-port': {
    group: 'Sign-in',
    placeholder: 'PORT',
    help: 'fixed port of the redirect URI; also the second argument',
    login: 'sign-in',
    schema: port,
  },
  'callback-path': {
    group: 'Sign-in',
    placeholder: 'PATH',
    help: 'path of the redirect URI (default: /callback)',
    login: 'sign-in',
    schema: callbackPath,
  },
  'auth-timeout': {
    group: 'Sign-in',
    placeholder: 'SECONDS',
    help: 'time for a person to sign in (default: 300)',
    schema: seconds({ least: 1, most: DAY_S }),
  },
  'no-browser': {
    group: 'Sign-in',
    help: 'show the sign-in address instead of opening a browser',
    schema: onOff,
  },
  'assume-pkce': {
    group: 'Sign-in',
    help: 'sign in even if the metadata does not mention PKCE, which is used anyway',
    login: 'sign-in',
    schema: onOff,
  },

  ...storeOptions,

  ...commandOptions,

  ...installOptions,

  ...clientOptions,

  ...toolOptions,

  wait: {
    group: 'Behaviour',
    help: 'lists and calls wait until the sign-in is complete, for scripts',
    schema: onOff,
  },
  'enable-proxy': {
    group: 'Behaviour',
    help: 'no effect: HTTP_PROXY, HTTPS_PROXY and NO_PROXY are always honoured',
    schema: onOff,
  },
  'headers-timeout': {
    group: 'Behaviour',
    placeholder: '0',
    help: 'no effect: there is no time limit for a call',
    schema: zeroOnly,
  },
  'body-timeout': {
    group: 'Behaviour',
    placeholder: '0',
    help: 'no effect: the bridge never closes an idle stream',
    schema: zeroOnly,
  },

  debug: {
    group: 'Logs',
    help: 'log more on stderr, and to a file under the folder of --home',
    schema: onOff,
  },
  silent: {
    group: 'Logs',
    help: 'write nothing to stderr',
    schema: onOff,
  },
  'log-format': {
    group: 'Logs',
    placeholder: 'FORMAT',
    help: 'text or json, on stderr (default: text)',
    schema: oneOf({ text: 'text', json: 'json' }),
  },

  config: {
    group: 'Settings',
    placeholder: 'FILE',
    help: 'a JSON file with options; its keys are the names here without the leading dashes',
    path: true,
    notInFile: true,
    schema: filePath,
  },
  home: {
    group: 'Settings',
    placeholder: 'DIR',
    help: "where logins and logs are kept (default: the system's usual folder)",
    path: true,
    login: 'sign-in',
    schema: filePath,
  },
  keychain: {
    group: 'Settings',
    placeholder: '[KEYCHAIN]',
    help: "seal the logins under a key in the system's keychain, or in helper:NAME (docker-credential-NAME)",
    bare: { text: 'system', value: /^(?:system|helper:.*)$/ },
    schema: keychain,
  },
  help: {
    group: 'Settings',
    aliases: ['h'],
    help: 'show the help; --help all: every option; login --help: that command',
    flagOnly: true,
    schema: onOff,
  },
  version: {
    group: 'Settings',
    aliases: ['v'],
    help: 'show the version',
    flagOnly: true,
    schema: onOff,
  },
} satisfies Record<string, Option>;

/** The name of an option. */
export type OptionName = keyof typeof options;

const byName = new Map<string, OptionName>();
for (const [name, option] of Object.entries(options) as [OptionName, Option][]) {
  for (const each of [name, ...(option.aliases ?? [])]) {
    // `--host` of single commands is another option's alias everywhere else.
    if (option.only === undefined || !byName.has(each)) byName.set(each, name);
  }
}

/** The option with this name or alias; a command's own option comes before an alias. */
export function findOption(
  name: string,
  command?: Command,
): { readonly name: OptionName; readonly option: Option } | undefined {
  const own = Object.hasOwn(options, name) ? (name as OptionName) : undefined;
  const isOwn = own !== undefined && (options[own] as Option).only?.some((each) => each === command) === true;
  const found = isOwn ? own : byName.get(name);
  return found === undefined ? undefined : { name: found, option: options[found] };
}

/** All names and aliases with more than one letter. */
export const optionNames: readonly string[] = [...byName.keys()].filter((name) => name.length > 1);

/** The options that a config file may contain. */
export const fileKeys: readonly string[] = optionNames.filter((name) => {
  const option = findOption(name)?.option;
  return option?.notInFile !== true && option?.flagOnly !== true && option?.environmentOnly !== true;
});
