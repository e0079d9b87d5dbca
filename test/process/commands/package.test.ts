import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram } from '../../../.build/program.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SIZE_MAX_BYTES = 450_000;

const exec = promisify(execFile);
/** The npm that comes with the Node that runs this, or else the one on the path. */
const npm = async (...args: string[]) => (await exec('npm', args, { cwd: root })).stdout;

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let home: TemporaryHome;
let packed: Packed;
beforeAll(async () => {
  home = await createTemporaryHome();
  // Without scripts: `prepack` would build into the folder that other tests run from.
  const json = await npm('pack', '--json', '--ignore-scripts', '--pack-destination', home.folder);
  packed = (JSON.parse(json) as Packed[])[0] as Packed;
});
afterAll(() => home.close());

describe('what is published', () => {
  test('consists of dist, README, LICENSE and the manifest', () => {
    const outside = packed.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'));
    expect(outside.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    const inside = packed.files.map(({ path }) => path).filter((path) => path.startsWith('dist/'));
    expect(inside).toEqual(
      expect.arrayContaining(['dist/launch.cjs', 'dist/main.js', 'dist/THIRD-PARTY-NOTICES.txt']),
    );
    const kinds = /\.c?js$|\/library\/index\.d\.c?ts$|\/THIRD-PARTY-NOTICES\.txt$/;
    expect(inside.filter((path) => !kinds.test(path))).toEqual([]);
  });

  test('is small', () => {
    expect(packed.size).toBeLessThanOrEqual(SIZE_MAX_BYTES);
  });

  test('has no dependencies', () => {
    for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
      expect(manifest).not.toHaveProperty(kind);
    }
    for (const script of ['preinstall', 'install', 'postinstall']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
  });

  test('installs by itself, without a network, and runs under both of its names', async () => {
    const prefix = join(home.folder, 'installed');
    await npm(
      'install',
      '--prefix',
      prefix,
      '--offline',
      '--no-audit',
      '--no-fund',
      join(home.folder, packed.filename),
    );
    const folders = readdirSync(join(prefix, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(folders).toEqual(['mcp-drawbridge']);
    for (const name of ['mcp-drawbridge', 'drawbridge']) {
      const { stdout } = await exec(join(prefix, 'node_modules/.bin', name), ['--version'], {
        env: home.env(),
      });
      expect(stdout.trim()).toBe(manifest.version);
    }
  });
});

describe('the notices', () => {
  const notices = readFileSync(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8');

  test('contain the licence of every package that the bundler has put into the bundle', async () => {
    const modules = (await bundleProgram('nowhere')).output.flatMap((file) =>
      file.type === 'chunk' ? Object.entries(file.modules) : [],
    );
    const ids = modules.flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? [id] : []));
    const foreign = ids.filter((id) => !id.startsWith(join(root, 'src/')));
    const folders = new Set(foreign.map(packageOf));
    expect(folders.size).toBeGreaterThan(5);
    for (const folder of folders) {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      expect(notices).toContain(`\n${name} ${version} (`);
      const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
      expect(texts, name).not.toEqual([]);
      for (const text of texts) expect(notices).toContain(readFileSync(join(folder, text), 'utf8').trim());
    }
    // Compiled into undici, whose package does not name it.
    expect(foreign.some((id) => id.includes('llhttp'))).toBe(true);
    expect(notices).toMatch(/^llhttp \(MIT\)\n\n.*\n\nCopyright Fedor Indutny, 2018\./m);
  });

  test('name no folder of the build machine', () => {
    expect(notices).not.toContain(dirname(root));
  });
});

/** The folder of the package that a module belongs to, by its own manifest; the bundler's helpers are of the bundler. */
function packageOf(id: string): string {
  if (id.includes('rolldown/runtime.js')) return join(root, 'node_modules/rolldown');
  let folder = dirname(id);
  while (!/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder)) {
    if (folder === dirname(folder)) throw new Error(`${id} belongs to no package`);
    folder = dirname(folder);
  }
  return folder;
}

test("the bundle imports only Node's own modules at run time", () => {
  const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
  const asked = files
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => {
      const code = readFileSync(join(root, 'dist', file), 'utf8');
      // What is no name of a package is text: the command `tokens import` ends a string of its own.
      const imports = code.matchAll(/(?:^|[;}\s])import(?:[^;'"`()]*?from)?\s*\(?\s*"([@\w][^"\s(){},;]*)"/g);
      return Array.from(imports, ([, name]) => name ?? '');
    });
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => !name.startsWith('node:') && !NODE_OWN.has(name))).toEqual([]);
});

test('CommonJS modules are compiled as they are read, not when they are called', () => {
  const code = readFileSync(join(root, 'dist/main.js'), 'utf8');
  const wrapped = Array.from(code.matchAll(/__commonJSMin\((.{9})/g), ([, start]) => start);
  expect(wrapped.length).toBeGreaterThan(20);
  expect(wrapped.filter((start) => start !== '(function')).toEqual([]);
});

/** Some packages ask for Node's modules without the prefix. */
const NODE_OWN = new Set([
  'assert',
  'buffer',
  'constants',
  'crypto',
  'events',
  'fs',
  'module',
  'net',
  'os',
  'path',
  'stream',
  'tls',
  'util',
  'zlib',
]);

test('the launcher uses only syntax that Node 12 can parse', async () => {
  const code = readFileSync(join(root, 'dist/launch.cjs'), 'utf8');
  // `import()` parses on 12.0 as it stands, although it only works later; esbuild knows the second fact alone.
  const [old, now] = await Promise.all([
    transform(code, { target: 'node12.0', supported: { 'dynamic-import': true } }),
    transform(code, { target: 'esnext' }),
  ]);
  expect(old.code).toBe(now.code);
  const { code: lowered } = await transform('a?.b', { target: 'node12.0' });
  expect(lowered).not.toContain('?.'); // the comparison can fail
  expect(existsSync(join(root, 'dist/main.js'))).toBe(true);
});
