import { dirname, join, normalize } from 'node:path/posix';

/** Path below `src/` → text. */
export type Sources = ReadonlyMap<string, string>;

export interface Offence {
  readonly file: string;
  readonly rule: string;
}

/** A longer file is two things (DESIGN, "The rooms"). */
const FILE_MAX_LINES = 300;

/** What each room may import beside itself, `platform`, `protocol` and `errors.ts`. Nobody imports upward. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  main: ['compose', 'commands', 'config'],
  compose: ['commands', 'config', 'bridge', 'eras', 'host', 'remote', 'auth', 'store', 'ui'],
  commands: ['config', 'bridge', 'host', 'remote', 'auth', 'store', 'ui'],
  bridge: ['host', 'remote', 'auth'],
  eras: ['remote', 'auth'],
  host: [],
  remote: [],
  auth: ['store', 'ui'],
  store: [],
  ui: [],
  config: [],
  platform: [],
  protocol: [],
  errors: [],
};
const GROUND = ['platform', 'protocol', 'errors'];

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
    door: /^store\/lock\/file-lock\.ts$/,
    name: 'proper-lockfile: store/lock/file-lock.ts',
  },
  { of: /^env-paths$/, door: /^store\/files\/paths\.ts$/, name: 'env-paths: store/files/paths.ts' },
  {
    of: /^@modelcontextprotocol\/client(\/|$)/,
    door: /^auth\//,
    name: '@modelcontextprotocol/client: auth/',
  },
  { of: /^zod\/mini$/, door: /^(config|store|auth)\//, name: 'zod/mini: config/, store/, auth/' },
  { of: /^node:child_process$/, door: /^platform\//, name: 'node:child_process: platform/' },
  {
    of: /^node:fs(\/promises)?$/,
    door: /^(store|config|platform)\//,
    name: 'node:fs: store/, config/, platform/',
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
];

/** Real versions of ports: features get them handed, so that tests can hand them others. */
const WIRED_ONLY = /^platform\/(http\/undici|log\/sink)\.ts$/;

export function findOffences(sources: Sources): Offence[] {
  const offences: Offence[] = [];
  for (const [file, text] of sources) {
    const code = withoutComments(text);
    const imports = importsOf(code);
    const rules = [
      ...shapeRules(file, text, code),
      ...imports.flatMap((specifier) => importRules(file, specifier)),
      ...SAYINGS.filter(({ word, where }) => word.test(code) && !where.test(file)).map(
        ({ name }) => `only there: ${name}`,
      ),
    ];
    offences.push(...rules.map((rule) => ({ file, rule })));
  }
  return [...offences, ...folderCycles(sources)];
}

function shapeRules(file: string, text: string, code: string): string[] {
  const rules: string[] = [];
  const lines = text.replace(/\n$/, '').split('\n').length;
  if (lines > FILE_MAX_LINES) rules.push(`${lines} lines, at most ${FILE_MAX_LINES}`);
  if (/(^|[/-])(utils?|helpers?|common|misc|shared)([./-]|$)/.test(file))
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
  const ground = GROUND.includes(from) ? ['errors'] : GROUND;
  return to === from || allowed.includes(to) || ground.includes(to)
    ? []
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

/** Each cycle between folders once, as its path. */
function folderCycles(sources: Sources): Offence[] {
  const edges = new Map<string, Map<string, string>>();
  for (const [file, text] of sources) {
    for (const specifier of importsOf(withoutComments(text))) {
      const folder = folderOf(file);
      const target = folderOf(normalize(join(dirname(file), specifier)));
      if (!specifier.startsWith('.') || target === folder) continue;
      edges.set(folder, (edges.get(folder) ?? new Map()).set(target, file));
    }
  }
  const cycles = new Map<string, Offence>();
  const walk = (folder: string, path: readonly string[]): void => {
    const start = path.indexOf(folder);
    if (start !== -1) {
      const cycle = path.slice(start);
      const file = edges.get(path.at(-1) ?? '')?.get(folder) ?? folder;
      const known = [...cycle].sort().join(' ');
      if (!cycles.has(known))
        cycles.set(known, { file, rule: `folders in a cycle: ${[...cycle, folder].join(' → ')}` });
      return;
    }
    for (const next of edges.get(folder)?.keys() ?? []) walk(next, [...path, folder]);
  };
  for (const folder of edges.keys()) walk(folder, []);
  return [...cycles.values()];
}
