import { anyText, bearerToken, oneOf, onOff } from './checks.ts';
import type { Option } from './option.ts';

/** Where nobody can be asked, and what only some commands know. */
export const commandOptions = {
  'non-interactive': {
    group: 'Headless',
    help: 'never ask a person: no browser, no listener (the default under CI and without a display)',
    schema: onOff,
  },
  interactive: {
    group: 'Headless',
    help: 'ask a person all the same',
    schema: onOff,
  },
  store: {
    group: 'Headless',
    placeholder: 'KIND',
    help: 'disk, or memory to keep nothing beyond this process (default: disk)',
    schema: oneOf({ disk: 'disk', memory: 'memory' }),
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
    help: 'what `tokens export` wrote; used where there is no login yet',
    environmentOnly: true,
    secret: true,
    schema: anyText,
  },

  force: {
    group: 'Commands',
    help: 'login: sign in anew, as another person too; imports: replace what is there',
    flagOnly: true,
    only: ['login', 'tokens import', 'import-mcp-remote'],
    schema: onOff,
  },
  all: {
    group: 'Commands',
    help: 'logout: of every server',
    flagOnly: true,
    only: ['logout'],
    schema: onOff,
  },
  json: {
    group: 'Commands',
    help: 'status: for programs',
    flagOnly: true,
    only: ['status'],
    schema: onOff,
  },
} satisfies Record<string, Option>;
