import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type OutputOptions, type RolldownOutput, rolldown } from 'rolldown';
import { asciiOnly } from './ascii.ts';
import { eagerModules } from './eager.ts';
import { shortLines } from './lines.ts';
import { slimClient } from './slim.ts';

export const root = new URL('..', import.meta.url).pathname;
export const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What `import … from 'mcp-drawbridge'` gives. */
export const libraryEntry = join(root, 'src/library/library.ts');

/**
 * What a bridge with a login on disk loads until it is ready, dynamic imports followed that it always comes to. All of it is one file: fifty
 * small ones took a quarter of the start. What is wanted later, if ever, stays in chunks.
 */
const STEADY = [
  'src/main.ts',
  'src/compose/log.ts',
  'src/commands/bridge.ts',
  'src/compose/bridge.ts',
  'src/store/disk-store.ts',
  'src/store/record/record-schema.ts',
].map((file) => join(root, file));

/** Small files of the shared store that other parts need as well, without it. In one chunk: each file that a start opens costs half a millisecond. */
const STORE_PARTS = [
  'src/store/files/owner-file.ts',
  'src/store/lock/limits.ts',
  'src/store/record/record.ts',
  'src/store/sealing/envelope.ts',
].map((file) => join(root, file));

/** What a start with a shared store loads as well. */
const SHARED_STORE = join(root, 'src/store/open-on-engine.ts');

/** Bundles the program and the library, to `dist` or, for a look at what is in it, to nowhere. What both need is there once. */
export async function bundleProgram(to: 'dist' | 'nowhere'): Promise<RolldownOutput> {
  const bundle = await rolldown({
    input: { main: join(root, 'src/main.ts'), 'library/index': libraryEntry },
    platform: 'node',
    // Its main file asks for parts of itself in a way that no bundler sees (UMD); the other is the same as ES modules.
    resolve: { alias: { 'jsonc-parser': join(root, 'node_modules/jsonc-parser/lib/esm/main.js') } },
    // What an entry exports stays; beside it a file may export what other files of the bundle need.
    preserveEntrySignatures: 'allow-extension',
    plugins: [slimClient, eagerModules, asciiOnly, shortLines],
    transform: { target: 'node20.18', define: { DRAWBRIDGE_VERSION: JSON.stringify(version) } },
    // Of a module in the steady file a dynamic import gives what is there already; and how long a build takes says little on a busy machine.
    checks: { ineffectiveDynamicImport: false, pluginTimings: false },
  });
  try {
    return await (to === 'dist' ? bundle.write(outputOptions()) : bundle.generate(outputOptions()));
  } finally {
    await bundle.close();
  }
}

function outputOptions(): OutputOptions {
  const steady = new Set<string>();
  return {
    dir: dist,
    format: 'esm',
    chunkFileNames: 'chunks/[name]-[hash].js',
    comments: false, // the notices hold the licences, once each
    // Names of functions and classes stay: a stack trace from a user has to be readable, and error classes are known by theirs.
    keepNames: true,
    minify: {
      compress: true,
      mangle: { toplevel: false, keepNames: { function: true, class: true } },
      codegen: { removeWhitespace: true },
    },
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          debugName: 'steady',
          name: (id, graph) => {
            if (steady.size === 0) for (const file of STEADY) addStatic(file, graph, steady);
            return steady.has(id) ? 'steady' : null;
          },
        },
        { debugName: 'store-parts', name: (id) => (STORE_PARTS.includes(id) ? 'store-parts' : null) },
      ],
    },
  };
}

/** The files that a start with a shared store loads, beside those of every start. */
export function sharedStoreFiles({ output: files }: RolldownOutput): string[] {
  const chunks = new Map(files.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])));
  const found = new Set<string>();
  const add = (name: string, into: Set<string>) => {
    if (into.has(name) || !chunks.has(name)) return;
    into.add(name);
    for (const imported of chunks.get(name)?.imports ?? []) add(imported, into);
  };
  const always = new Set<string>();
  add('main.js', always);
  for (const { fileName, moduleIds } of chunks.values())
    if (moduleIds.includes(SHARED_STORE)) add(fileName, found);
  return [...found].filter((name) => !always.has(name));
}

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

function addStatic(id: string, graph: Graph, steady: Set<string>): void {
  const info = graph.getModuleInfo(id);
  if (info === null || steady.has(id)) return;
  steady.add(id);
  for (const imported of info.importedIds) addStatic(imported, graph, steady);
}

/** The files of which at least a byte is in the program. */
export function bundledFiles({ output: files }: RolldownOutput): string[] {
  const modules = files.flatMap((file) => (file.type === 'chunk' ? Object.entries(file.modules) : []));
  return [
    ...new Set(
      modules.flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [relative(root, id)] : [])),
    ),
  ];
}
