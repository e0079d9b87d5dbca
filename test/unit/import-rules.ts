import { dirname, join, normalize } from 'node:path/posix';

/** Path below `src/` → text. */
export type Sources = ReadonlyMap<string, string>;

export interface Offence {
  readonly file: string;
  readonly rule: string;
}

/** A file with more of them is about two things. Lines are not counted: that would reward packing them. */
const FILE_MAX_STATEMENTS = 160;

/** A stranger has to read a folder whole to know what is in it. */
const FOLDER_MAX_FILES = 14;

/** What each room may import beside itself, `platform`, `protocol`, `redaction` and `errors.ts`. Nobody imports upward. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  main: ['compose', 'commands', 'config'],
  compose: [
    'commands',
    'doctor',
    'install',
    'config',
    'bridge',
    'eras',
    'host',
    'remote',
    'auth',
    'store',
    'ui',
  ],
  library: ['compose', 'commands', 'config', 'remote', 'auth', 'store'],
  commands: ['install', 'bundle', 'config', 'bridge', 'host', 'remote', 'auth', 'store', 'ui'],
  install: ['config', 'store', 'ui'],
  doctor: ['config', 'remote', 'auth', 'store', 'ui'],
  bridge: ['host', 'remote', 'auth'],
  eras: ['remote', 'auth'],
  host: [],
  remote: [],
  auth: ['store', 'ui'],
  store: ['keychain'],
  keychain: [],
  ui: [],
  config: [],
  bundle: [],
  platform: [],
  protocol: [],
  redaction: [],
  errors: ['redaction'],
};
export const GROUND = ['platform', 'protocol', 'redaction', 'errors'];
/** What the ground itself may import. */
const BOTTOM = ['redaction', 'errors'];

/**
 * The smaller rooms of a large one, lowest first: each may import those before it. `.` is the large room's own folder. After the colon
 * stand the doors, the only files that other folders may import; without a colon all files are doors.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  auth: [
    'errors',
    'http: guarded-fetch address-policy address-reach url-policy json',
    'jwt',
    'challenge',
    '.',
    'discovery: discover metadata',
    'client',
    'token',
    'dpop: binding proof refused-proof access-token',
    'callback: receiver pasted pages',
    'grant: authorization-code device-code machine',
    'refresh',
    'sign-in: ensure follow launch retry-pause run',
    'credential: interactive-authorization credential-authorization token-replacement stale-token step-up valid-token complete-imported issuer-change',
    'machine: machine-authorization machine-token',
  ],
  bridge: [
    'timing',
    'stand-in',
    'tools: tool-filter',
    'session: session lifecycle authorized-transport session-settings',
    'relay: dispatch parts',
    '.: bridge',
  ],
  eras: [
    'message',
    'modern: modern-transport modern-server',
    'down: down-transport',
    'up: up-transport',
    '.: era-transport',
  ],
  remote: ['http', 'events: event-stream event-channel', 'transport', 'session'],
  store: [
    'files',
    'sealing',
    'record',
    'lock: file-lock limits',
    'lease: lease later-leases memory-leases earlier-browsers sign-in-status',
    'reservation',
    'port',
    'move: move-login',
    'shared/protocol',
    'shared',
    'redis: open',
    'conversion: seal-folder',
    'server-cache: server-cache',
    '.: open-shared open-store overview folder-facts system-keychain',
  ],
  keychain: ['.: keychain open-keychain ports'],
  install: ['hosts', 'edit', 'entry', 'files', '.'],
  compose: ['settings', 'store', '.'],
  library: ['interface', 'store', 'fetch', 'sdk', '.'],
  config: ['commands', 'options', 'sources', '.: config library-config'],
  commands: ['help', 'tokens', 'hosts', 'store', '.'],
  platform: [
    '.',
    'log: logger sink terminal printable unexpected-error',
    'http',
    'content: content',
    'process',
    'desktop: browser browser-command find-session session-bus user-environment',
    'program',
  ],
  protocol: ['json', 'store', '.'],
};

interface Room {
  readonly rank: number;
  readonly doors: ReadonlySet<string> | undefined;
}

/** Folder below `src/` → its place and its doors. */
const rooms: ReadonlyMap<string, Room> = new Map(
  Object.entries(ROOMS).flatMap(([large, inside]) =>
    inside.map((entry, rank): [string, Room] => {
      const [name = '', doors] = entry.split(': ');
      const folder = name === '.' ? large : `${large}/${name}`;
      return [folder, { rank, doors: doors === undefined ? undefined : new Set(doors.split(' ')) }];
    }),
  ),
);

/** The one door of each outside package, and of the parts of Node that reach outside. */
const DOORS: readonly { readonly of: RegExp; readonly door: RegExp; readonly name: string }[] = [
  { of: /^undici(\/|$)/, door: /^platform\/http\//, name: 'undici: platform/http/' },
  {
    of: /^eventsource-parser(\/|$)/,
    door: /^remote\/events\/event-stream\.ts$/,
    name: 'eventsource-parser: remote/events/event-stream.ts',
  },
  {
    of: /^proper-lockfile$/,
    door: /^(store\/lock\/file-lock|install\/files\/host-lock)\.ts$/,
    name: 'proper-lockfile: store/lock/file-lock.ts, install/files/host-lock.ts',
  },
  {
    of: /^jsonc-parser$/,
    door: /^install\/edit\/json-document\.ts$/,
    name: 'jsonc-parser: install/edit/json-document.ts',
  },
  {
    of: /^smol-toml$/,
    door: /^install\/edit\/toml-document\.ts$/,
    name: 'smol-toml: install/edit/toml-document.ts',
  },
  { of: /^iovalkey(\/|$)/, door: /^store\/redis\/wire\.ts$/, name: 'iovalkey: store/redis/wire.ts' },
  { of: /^fflate$/, door: /^bundle\/archive\.ts$/, name: 'fflate: bundle/archive.ts' },
  { of: /^@clack\/prompts$/, door: /^ui\/choose\.ts$/, name: '@clack/prompts: ui/choose.ts' },
  { of: /^env-paths$/, door: /^store\/files\/paths\.ts$/, name: 'env-paths: store/files/paths.ts' },
  {
    of: /^@modelcontextprotocol\/client(\/|$)/,
    door: /^auth\//,
    name: '@modelcontextprotocol/client: auth/',
  },
  {
    of: /^zod\/mini$/,
    door: /^((config|store|auth)\/|protocol\/oauth-settings\.ts$|platform\/lenient\.ts$)/,
    name: 'zod/mini: config/, store/, auth/, protocol/oauth-settings.ts, platform/lenient.ts',
  },
  { of: /^node:child_process$/, door: /^platform\//, name: 'node:child_process: platform/' },
  {
    of: /^node:fs(\/promises)?$/,
    door: /^(store|config|platform|install\/files)\//,
    name: 'node:fs: store/, config/, platform/, install/files/',
  },
  {
    of: /^node:(http|https|http2|tls|dgram|dns)(\/promises)?$/,
    door: /^platform\//,
    name: "Node's network: platform/",
  },
];

/** Words that only some files may say, comments aside. */
const SAYINGS: readonly { readonly word: RegExp; readonly where: RegExp; readonly name: string }[] = [
  { word: /\bprocess\.exit\b/, where: /^main\.ts$/, name: 'process.exit: main.ts' },
  {
    word: /\bprocess\.stdout\b/,
    where: /^main\.ts$|^(compose|host)\//,
    name: 'stdout: host/, wired by main.ts or compose/',
  },
  {
    word: /\bprocess\.stderr\b/,
    where: /^platform\/log\//,
    name: 'stderr: platform/log/',
  },
  { word: /\bconsole\./, where: /^$/, name: 'console: nowhere' },
  {
    // What is computed from the value (`{ at: at + 1 }`) is another thing.
    word: /\.\.\.\((\w+) === undefined \? \{\} : \{ (\S+: )?\1 \}\)/,
    where: /^protocol\//,
    name: 'a property left out where it is undefined: withoutUndefined() of platform/without-undefined.ts',
  },
  {
    // Most users have no program of that name: npx starts it for them.
    word: /\bmcp-drawbridge (?:login|logout|status|tokens?|presets|bundle|install|uninstall|doctor|hosts)\b/,
    where: /^commands\/help\//,
    name: 'a command by a fixed name: help; elsewhere ownCommand() of platform/program/program-command.ts',
  },
];

/** Real versions of ports: features get them handed, so that tests can hand them others. */
const WIRED_ONLY = /^platform\/(http\/undici|log\/sink)\.ts$/;

export function findOffences(sources: Sources): Offence[] {
  const offences: Offence[] = [];
  for (const [file, text] of sources) {
    const code = withoutComments(text);
    const imports = importsOf(code);
    const rules = [
      ...shapeRules(file, code),
      ...imports.flatMap((specifier) => importRules(file, specifier)),
      ...SAYINGS.filter(({ word, where }) => word.test(code) && !where.test(file)).map(
        ({ name }) => `only there: ${name}`,
      ),
    ];
    offences.push(...rules.map((rule) => ({ file, rule })));
  }
  return [
    ...offences,
    ...fullFolders(sources.keys()),
    ...cycles(sources, (file) => file, 'files'),
    ...cycles(sources, folderOf, 'folders'),
  ];
}

/** Folders in which more files lie than a reader can take in; folders within them do not count. */
export function fullFolders(files: Iterable<string>): Offence[] {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(folderOf(file), (counts.get(folderOf(file)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > FOLDER_MAX_FILES)
    .map(([file, count]) => ({ file, rule: `${count} files in a folder, at most ${FOLDER_MAX_FILES}` }));
}

/** Between the folders of one large room, and through the doors of any. */
function roomRules(file: string, target: string): string[] {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to) return [];
  const [room, other] = [rooms.get(from), rooms.get(to)];
  const name = target.slice(to.length + 1).replace(/(\.d)?\.ts$/, '');
  const rules: string[] = [];
  if (other === undefined && to.includes('/')) return [`unknown room ${to}`];
  if (other?.doors?.has(name) === false) rules.push(`${target} is no door of ${to}`);
  const isInside = roomOf(file) === roomOf(target);
  if (isInside && room !== undefined && other !== undefined && other.rank > room.rank)
    rules.push(`${from} stands below ${to} (${target})`);
  return rules;
}

function shapeRules(file: string, code: string): string[] {
  const rules: string[] = [];
  const statements = code.match(/;$/gm)?.length ?? 0;
  if (statements > FILE_MAX_STATEMENTS)
    rules.push(`${statements} statements, at most ${FILE_MAX_STATEMENTS}`);
  // The shared store is a thing of its own: one that many machines share.
  const named = file.replace(
    /^store\/(shared\/|open-shared\.ts$)(((open-)?shared-(store|leases))\.ts$)?/,
    '',
  );
  if (/(^|[/-])(utils?|helpers?|common|misc|shared)([./-]|$)/.test(named))
    rules.push('a name that says nothing');
  const rest = code.replace(/export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'[^']+';?/g, '').trim();
  if (/(^|\/)index\.ts$/.test(file) || (rest === '' && code.trim() !== '')) rules.push('a barrel');
  return rules;
}

function importRules(file: string, specifier: string): string[] {
  if (!specifier.startsWith('.')) return outsideRules(file, specifier);
  const target = normalize(join(dirname(file), specifier));
  const from = roomOf(file);
  const to = roomOf(target);
  const allowed = ALLOWED[from];
  if (allowed === undefined) return [`unknown room ${from}`];
  if (!specifier.endsWith('.ts')) return [`imports ${specifier} without .ts`];
  if (WIRED_ONLY.test(target) && !['main', 'compose', 'platform'].includes(from))
    return [`only main and compose wire ${target}`];
  const ground = GROUND.includes(from) ? BOTTOM : GROUND;
  return to === from || allowed.includes(to) || ground.includes(to)
    ? roomRules(file, target)
    : [`${from} must not import ${to} (${target})`];
}

function outsideRules(file: string, specifier: string): string[] {
  const doors = DOORS.filter(({ of }) => of.test(specifier));
  if (doors.length === 0) return specifier.startsWith('node:') ? [] : [`${specifier} has no door`];
  return doors.filter(({ door }) => !door.test(file)).map(({ name }) => `only there: ${name}`);
}

/** `auth/scope.ts` → `auth`; `main.ts` → `main`. */
const roomOf = (file: string): string => file.split('/')[0]?.replace(/\.ts$/, '') ?? '';

/** The files at the top (`main.ts`, `errors.ts`) are rooms of one file each. */
const folderOf = (file: string): string => (file.includes('/') ? dirname(file) : roomOf(file));

/** Good enough for code that a formatter wrote: no string of ours holds a comment's beginning after a blank. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

export function importsOf(code: string): string[] {
  const found = code.matchAll(
    /^\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\b(?:import|require)\(\s*'([^']+)'/gm,
  );
  return Array.from(found, ([, from, bare, called]) => from ?? bare ?? called ?? '');
}

/** Each cycle between files, or between folders, once, as its path. */
function cycles(sources: Sources, nodeOf: (file: string) => string, what: 'files' | 'folders'): Offence[] {
  const edges = new Map<string, Map<string, string>>();
  for (const [file, text] of sources) {
    for (const specifier of importsOf(withoutComments(text))) {
      const node = nodeOf(file);
      const target = nodeOf(normalize(join(dirname(file), specifier)));
      if (!specifier.startsWith('.') || target === node) continue;
      edges.set(node, (edges.get(node) ?? new Map()).set(target, file));
    }
  }
  const found = new Map<string, Offence>();
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start !== -1) {
      const cycle = path.slice(start);
      const file = edges.get(path.at(-1) ?? '')?.get(node) ?? node;
      const known = [...cycle].sort().join(' ');
      if (!found.has(known))
        found.set(known, { file, rule: `${what} in a cycle: ${[...cycle, node].join(' → ')}` });
      return;
    }
    if (done.has(node)) return;
    for (const next of edges.get(node)?.keys() ?? []) walk(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) walk(node, []);
  return [...found.values()];
}
