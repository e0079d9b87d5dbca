import { anyText, bearerToken, filePath, keychain, onOff, shownName } from './checks.ts';
import type { Option } from './option.ts';
import { hasStoreSecret, moveTarget } from './store-checks.ts';

/** The options for machines without sign-ins, and those of single commands. */
export const commandOptions = {
  'non-interactive': {
    group: 'Headless',
    help: 'never start a sign-in: no browser, no listener (the default under CI)',
    schema: onOff,
  },
  interactive: {
    group: 'Headless',
    help: 'allow sign-ins nevertheless',
    schema: onOff,
  },
  token: {
    group: 'Headless',
    placeholder: 'TOKEN',
    help: 'send this access token and never sign in',
    environmentOnly: true,
    secret: true,
    schema: bearerToken,
  },
  credentials: {
    group: 'Headless',
    placeholder: 'JSON',
    help: 'the output of `tokens export`; used if there is no login yet',
    environmentOnly: true,
    secret: true,
    schema: anyText,
  },

  force: {
    group: 'Commands',
    help: 'login: sign in again, even with another account; imports, move: replace a login; bundle: a file',
    flagOnly: true,
    only: ['login', 'tokens import', 'import-mcp-remote', 'bundle', 'move'],
    schema: onOff,
  },
  name: {
    group: 'Commands',
    placeholder: 'NAME',
    help: 'bundle, install: the name in the host (default: from the address)',
    flagOnly: true,
    only: ['bundle', 'install'],
    schema: shownName,
  },
  icon: {
    group: 'Commands',
    placeholder: 'FILE',
    help: 'bundle: a PNG picture, ideally 512 by 512 pixels',
    path: true,
    flagOnly: true,
    only: ['bundle'],
    schema: filePath,
  },
  output: {
    group: 'Commands',
    placeholder: 'FILE',
    help: 'bundle: the file to write (default: NAME.mcpb)',
    aliases: ['o'],
    path: true,
    flagOnly: true,
    only: ['bundle'],
    schema: filePath,
  },
  backend: {
    group: 'Commands',
    placeholder: 'KEYCHAIN',
    help: 'keychain on: which keychain, system or helper:NAME (default: system)',
    flagOnly: true,
    only: ['keychain'],
    schema: keychain,
  },
  all: {
    group: 'Commands',
    help: 'logout: log out of every server',
    flagOnly: true,
    only: ['logout'],
    schema: onOff,
  },
  add: {
    group: 'Commands',
    help: 'store key: one more key, as the last line of FILE',
    flagOnly: true,
    only: ['store key'],
    schema: onOff,
  },
  to: {
    group: 'Commands',
    placeholder: 'URL',
    help: 'move: file, or the address of a shared store; store: the one of --store',
    flagOnly: true,
    secret: hasStoreSecret,
    only: ['move'],
    schema: moveTarget,
  },
  json: {
    group: 'Commands',
    help: 'status, hosts, doctor, keychain status: print JSON, for programs',
    flagOnly: true,
    only: ['status', 'hosts', 'doctor', 'keychain'],
    schema: onOff,
  },
} satisfies Record<string, Option>;
