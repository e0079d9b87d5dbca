import { UsageError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';
import { type Command, commands } from './commands.ts';
import { nearest } from './nearest.ts';

/** The topics of `--help`; `all`: every option. */
export type HelpTopic = Exclude<Command, 'bridge'> | 'presets' | 'all';

const TOPICS: readonly HelpTopic[] = ['all', 'presets', ...commands];

/** The topics in `help login`, `login --help`, `--help all` or `help options`; empty for the short help. Throws UsageError for an unknown topic. */
export function helpTopics(argv: readonly string[]): readonly HelpTopic[] {
  const isAsked = ['help', '--help', '-h'].some((word) => word === argv[0]);
  const [first = '', second = ''] = isAsked ? argv.slice(1) : argv;
  if (first === 'options') return ['all'];
  const both = TOPICS.filter((topic) => topic.startsWith(`${first} `));
  if (both.length > 0) {
    const named = both.filter((topic) => topic === `${first} ${second}`);
    return named.length === 0 ? both : named;
  }
  const topic = TOPICS.find((each) => each === first);
  if (topic !== undefined) return [topic];
  // After an address or an option, `--help` asks for the general help.
  if (!isAsked || first === '' || first.startsWith('-') || URL.canParse(first)) return [];
  const near = nearest(first, [...TOPICS, 'options', 'tokens']);
  throw new UsageError(`no help on ${quote(first)}`, {
    hint: near === undefined ? `expected one of ${TOPICS.join(', ')}` : `did you mean ${near}?`,
  });
}
