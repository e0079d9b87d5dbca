import { check, expected, oneOf, onOff } from './checks.ts';
import type { Option } from './option.ts';

/** The id of a host; the list of hosts is elsewhere. */
const hostName = check((text) =>
  /^[a-z][a-z0-9-]{0,39}$/.test(text) ? text : expected('the id of a host, such as cursor; see `hosts`'),
);

/**
 * Whether every host accepts this name for a server. Codex only accepts letters, digits, dashes and underscores; some hosts use the reserved names as settings,
 * or for themselves.
 */
export function isServerName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/.test(text) && !RESERVED_NAMES.has(text.toLowerCase());
}

/** Names that at least one host does not accept for a server. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(['workspace', 'servers', 'timeout', '__proto__']);

/** The options of `install`, `uninstall` and `hosts`. */
export const installOptions = {
  host: {
    group: 'Hosts',
    placeholder: 'ID',
    help: 'install, uninstall, doctor: this host, such as cursor; repeatable (default: asks, or all)',
    repeatable: true,
    flagOnly: true,
    only: ['install', 'uninstall', 'doctor'],
    schema: hostName,
  },
  project: {
    group: 'Hosts',
    help: "the host's file in this folder, to be shared with others, instead of the user's",
    flagOnly: true,
    only: ['install', 'uninstall'],
    schema: onOff,
  },
  replace: {
    group: 'Hosts',
    placeholder: 'mcp-remote',
    help: 'install: replace entries of mcp-remote, and import their logins',
    flagOnly: true,
    only: ['install'],
    schema: oneOf({ 'mcp-remote': 'mcp-remote' }),
  },
  npx: {
    group: 'Hosts',
    help: 'install: an entry with npx, which works on any machine but starts slower',
    flagOnly: true,
    only: ['install'],
    schema: onOff,
  },
  'dry-run': {
    group: 'Hosts',
    help: 'show what would change, and change nothing',
    flagOnly: true,
    only: ['install', 'uninstall'],
    schema: onOff,
  },
  print: {
    group: 'Hosts',
    help: 'install: print the entry to paste, and change nothing',
    flagOnly: true,
    only: ['install'],
    schema: onOff,
  },
  yes: {
    group: 'Hosts',
    aliases: ['y'],
    help: 'do not ask: change every host that is shown',
    flagOnly: true,
    only: ['install', 'uninstall'],
    schema: onOff,
  },
} satisfies Record<string, Option>;
