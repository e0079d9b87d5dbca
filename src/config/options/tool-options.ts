import { onOff, toolPattern } from './checks.ts';
import type { Option } from './option.ts';

/** The options that hide tools of the server from the host. */
export const toolOptions = {
  'allow-tool': {
    group: 'Tools',
    placeholder: 'PATTERN',
    help: 'offer only the tools whose name matches; * is any text; repeatable',
    repeatable: true,
    schema: toolPattern,
  },
  'deny-tool': {
    group: 'Tools',
    placeholder: 'PATTERN',
    help: 'never offer or call the tools whose name matches, whatever is allowed; repeatable',
    aliases: ['ignore-tool'],
    repeatable: true,
    schema: toolPattern,
  },
  'read-only': {
    group: 'Tools',
    help: 'offer only the tools that the server marks as read-only',
    schema: onOff,
  },
} satisfies Record<string, Option>;
