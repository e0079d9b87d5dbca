import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findOffences, fullFolders, importsOf, type Offence } from './import-rules.ts';

const root = new URL('../../', import.meta.url).pathname;
const src = join(root, 'src');

/** The paths, from `base` on, of the files in `folder` and the folders within it. */
function filesIn(folder: string, base: string, isWanted: (name: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isWanted(entry.name))
    .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function readSources(): Map<string, string> {
  const files = filesIn(src, src, (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
  return new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')]));
}

const said = ({ file, rule }: Offence): string => `${file}: ${rule}`;

test('the rooms obey the import rules', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(20);
  expect(findOffences(sources).map(said)).toEqual([]);
});

test('no folder of the tests is too full', () => {
  // One file for each host lies in test/peers/host-files: no programs.
  const programs = filesIn(join(root, 'test'), root, (name) => /\.[cm]?[jt]s$/.test(name));
  expect(programs.length).toBeGreaterThan(20);
  expect(fullFolders(programs).map(said)).toEqual([]);
});

describe('the checker finds planted offenders', () => {
  const planted: readonly [what: string, file: string, text: string, rule: RegExp][] = [
    ['upward', 'host/a.ts', "import { x } from '../bridge/x.ts';", /^host must not import bridge/],
    ['sideways', 'remote/a.ts', "import type { X } from '../auth/x.ts';", /^remote must not import auth/],
    ['lazily', 'store/a.ts', "const x = await import('../ui/x.ts');", /^store must not import ui/],
    [
      'config from a feature',
      'auth/a.ts',
      "import type { Config } from '../config/config.ts';",
      /^auth must not import config/,
    ],
    [
      'platform from protocol',
      'protocol/a.ts',
      "import { x } from '../platform/x.ts';",
      /^protocol must not import platform/,
    ],
    ['over lines', 'ui/a.ts', "import {\n  a,\n  b,\n} from '../store/x.ts';", /^ui must not import store/],
    [
      'by re-export',
      'ui/a.ts',
      "export { a } from '../store/x.ts';\nexport const b = 1;",
      /^ui must not import store/,
    ],
    ['undici', 'remote/a.ts', "import { Agent } from 'undici';", /undici: platform/],
    ['undici, deep', 'auth/a.ts', "const a = await import('undici/lib/x.js');", /undici: platform/],
    ['zod', 'bridge/a.ts', "import * as z from 'zod/mini';", /zod\/mini: config/],
    ['zod, whole', 'store/a.ts', "import * as z from 'zod';", /zod has no door/],
    ['the SDK', 'bridge/a.ts', "import { x } from '@modelcontextprotocol/client';", /client: auth/],
    ['the lock', 'store/a.ts', "import lockfile from 'proper-lockfile';", /store\/lock\/file-lock\.ts/],
    ['an unknown package', 'ui/a.ts', "import 'left-pad';", /left-pad has no door/],
    ['a child', 'auth/a.ts', "import { spawn } from 'node:child_process';", /child_process: platform/],
    ['the disk', 'remote/a.ts', "import { readFile } from 'node:fs/promises';", /node:fs: store/],
    ['a server', 'auth/a.ts', "import { createServer } from 'node:http';", /network: platform/],
    ['an exit', 'bridge/a.ts', 'if (x) process.exit(1);', /process\.exit: main/],
    ['a fixed command', 'auth/a.ts', "const hint = 'Run mcp-drawbridge login URL';", /ownCommand/],
    ['stdout', 'ui/a.ts', "process.stdout.write('x');", /stdout: host/],
    ['stderr', 'auth/a.ts', "process.stderr.write('x');", /stderr: platform/],
    [
      'the real http',
      'remote/a.ts',
      "import { createHttp } from '../platform/http/undici.ts';",
      /only main and compose wire/,
    ],
    [
      'a property left out by hand',
      'ui/a.ts',
      'const a = { b, ...(c === undefined ? {} : { c }) };',
      /withoutUndefined/,
    ],
    ['length', 'ui/a.ts', 'const a = 1;\n'.repeat(161), /^161 statements/],
    ['utils', 'store/file-utils.ts', 'export const a = 1;', /says nothing/],
    ['an index', 'store/index.ts', 'export const a = 1;', /barrel/],
    [
      'a barrel by another name',
      'store/all.ts',
      "export * from './a.ts';\nexport type { B } from './b.ts';",
      /barrel/,
    ],
    ['a room without rules', 'attic/a.ts', "import './b.ts';", /unknown room attic/],
    [
      'past a door',
      'auth/credential/a.ts',
      "import { x } from '../discovery/issuer.ts';",
      /issuer\.ts is no door of auth\/discovery/,
    ],
    [
      'past a door, from outside',
      'compose/a.ts',
      "import { x } from '../auth/grant/new-record.ts';",
      /new-record\.ts is no door of auth\/grant/,
    ],
    [
      'up, inside a large room',
      'auth/token/a.ts',
      "import type { X } from '../grant/machine.ts';",
      /auth\/token stands below auth\/grant/,
    ],
    ['a smaller room without rules', 'store/a.ts', "import './attic/b.ts';", /unknown room store\/attic/],
  ];
  test.each(planted)('%s', (_, file, text, rule) => {
    const offences = findOffences(new Map([[file, text]]));
    expect(offences.map(said)).toEqual([
      expect.stringMatching(new RegExp(rule.source.replace('^', `^${file}: `))),
    ]);
  });

  test('a cycle between folders, once', () => {
    const sources = new Map([
      ['auth/a.ts', "import { b } from './errors/b.ts';"],
      ['auth/errors/b.ts', "import { c } from '../challenge/c.ts';"],
      ['auth/challenge/c.ts', "import { d } from '../d.ts';"],
    ]);
    expect(findOffences(sources).map(said)).toEqual([
      'auth/errors/b.ts: auth/errors stands below auth/challenge (auth/challenge/c.ts)',
      'auth/challenge/c.ts: auth/challenge stands below auth (auth/d.ts)',
      'auth/challenge/c.ts: folders in a cycle: auth → auth/errors → auth/challenge → auth',
    ]);
  });

  test('a cycle between files of one folder', () => {
    const sources = new Map([
      ['ui/a.ts', "import { b } from './b.ts';"],
      ['ui/b.ts', "import type { c } from './c.ts';"],
      ['ui/c.ts', "const a = await import('./a.ts');"],
      ['ui/d.ts', "import { a } from './a.ts';"],
    ]);
    expect(findOffences(sources).map(said)).toEqual([
      'ui/c.ts: files in a cycle: ui/a.ts → ui/b.ts → ui/c.ts → ui/a.ts',
    ]);
  });

  test('a folder with too many files', () => {
    const sources = new Map(Array.from({ length: 16 }, (_, n) => [`ui/a${n}.ts`, `export const a = ${n};`]));
    expect(findOffences(sources).map(said)).toEqual(['ui: 16 files in a folder, at most 14']);
  });

  test('accepts permitted imports', () => {
    const sources = new Map([
      ['compose/a.ts', "import { x } from '../bridge/bridge.ts';"],
      ['main.ts', "import { compose } from './compose/a.ts';\nprocess.exit(await compose(process.stdout));"],
      [
        'bridge/a.ts',
        "// process.exit cuts pipes\nimport type { X } from '../auth/x.ts';\nimport { y } from '../errors.ts';",
      ],
      ['platform/http/undici.ts', "import { Agent } from 'undici';\n/* console.log */"],
      ['ui/a.ts', 'const a = 1;\n'.repeat(160)],
    ]);
    expect(findOffences(sources)).toEqual([]);
  });

  test('recognizes every form of import', () => {
    const code =
      "import a from 'a';\nimport 'b';\nexport * from 'c';\nconst d = await import('d');\nrequire('e');\nimport type { f } from 'f';";
    expect(importsOf(code)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
