import type { Entry, PrintedHost } from './host.ts';
import { inAppData, inHome, inXdgConfig } from './place.ts';
import { kilo, plain } from './shapes.ts';

/** Hosts whose files cannot be edited without loss, or are programs: a person pastes the printed text. */
export const printedHosts = {
  goose: {
    name: 'Goose',
    where: (place) =>
      place.platform === 'win32'
        ? inAppData(place, 'Block', 'goose', 'config', 'config.yaml')
        : inXdgConfig(place, 'goose', 'config.yaml'),
    snippet: (name, { command, args, env }) =>
      yaml('extensions:', `  ${text(name)}:`, [
        ['name', name],
        ['type', 'stdio'],
        ['enabled', true],
        ['cmd', command],
        ['args', args],
        ['envs', env],
        ['timeout', 300],
      ]),
  },
  crush: {
    name: 'Crush',
    where: (place) => place.env.CRUSH_GLOBAL_CONFIG || inXdgConfig(place, 'crush', 'crushrc'),
    snippet: (name, { command, args, env }) =>
      [
        ['mcp', 'add', name, '--command', command],
        ...args.map((each) => ['--args', each]),
        ...Object.entries(env).map(([key, value]) => ['--env', `${key}=${value}`]),
        ['--timeout', '60'],
      ]
        .flat()
        .map(bashWord)
        .join(' '),
  },
  continue: {
    name: 'Continue',
    where: (place) => inHome(place, '.continue', 'config.yaml'),
    snippet: (name, { command, args, env }) =>
      yaml('mcpServers:', `  - name: ${text(name)}`, [
        ['type', 'stdio'],
        ['command', command],
        ['args', args],
        ['env', env],
      ]),
  },
  jetbrains: {
    name: 'JetBrains AI Assistant',
    where: () => 'Settings → Tools → AI Assistant → Model Context Protocol (MCP) → Add → As JSON',
    snippet: (name, entry) => JSON.stringify({ mcpServers: { [name]: plain(entry) } }, null, 2),
  },
  kilo: {
    name: 'Kilo Code',
    where: (place) => inXdgConfig(place, 'kilo', 'kilo.json'),
    snippet: (name, entry) => JSON.stringify({ mcp: { [name]: kilo.shape(entry) } }, null, 2),
  },
} satisfies Record<string, PrintedHost>;

/** The id of a host for which an entry is printed. */
export type PrintedHostId = keyof typeof printedHosts;

/** The host with this id. */
export function printedHostOf(id: PrintedHostId): PrintedHost {
  return printedHosts[id];
}

/** JSON strings and lists are YAML too (YAML 1.2.2 §1.3), and quote everything that YAML would interpret. */
const text = (value: unknown) => JSON.stringify(value);

function yaml(
  head: string,
  first: string,
  members: readonly (readonly [
    key: string,
    value: Entry['env'] | readonly string[] | string | number | boolean,
  ])[],
): string {
  const lines = members.flatMap(([key, value]) => {
    const isEmpty = typeof value === 'object' && Object.keys(value).length === 0;
    return isEmpty ? [] : [`    ${key}: ${text(value)}`];
  });
  return [head, first, ...lines].join('\n');
}

/** POSIX.1 Shell Command Language, 2.2.2: within single quotes every character is literal. */
function bashWord(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
