import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const exec = promisify(execFile);

let home: TemporaryHome;
let tarball: string;
/** A folder of a program that has installed the package, and nothing else. */
let program: string;
beforeAll(async () => {
  home = await createTemporaryHome();
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', home.folder];
  const { stdout } = await exec('npm', args, { cwd: root });
  tarball = join(home.folder, (JSON.parse(stdout) as { filename: string }[])[0]?.filename ?? '');
  program = join(home.folder, 'program');
  await mkdir(program);
  await exec('npm', ['install', '--prefix', program, '--offline', '--no-audit', '--no-fund', tarball]);
});
afterAll(() => home.close());

/** Runs a program, and returns what it prints. Rejects where it does not end by itself or writes to stderr. */
async function run(name: string, text: string, ...flags: string[]): Promise<string> {
  await writeFile(join(program, name), text);
  const { stdout, stderr } = await exec(process.execPath, [...flags, name], {
    cwd: program,
    env: home.env(),
    timeout: 30_000,
  });
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('the package', () => {
  it('passes publint', async () => {
    const bytes = await readFile(tarball);
    const pack = {
      tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    };
    const { messages, pkg } = await publint({ pack, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types for import and for require', async () => {
    const { types, problems } = (await checkPackage(
      createPackageFromTarballData(await readFile(tarball)),
    )) as {
      readonly types: unknown;
      readonly problems: readonly unknown[];
    };
    expect(types).toMatchObject({ kind: 'included' });
    expect(problems).toEqual([]);
  });

  it.each(['nodenext', 'bundler'])('has types that need no others (%s)', async (resolution) => {
    const folder = join(program, resolution);
    await mkdir(folder);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: [],
      lib: ['es2023'],
      target: 'es2023',
      module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
      moduleResolution: resolution,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const code = [
      "import { authorizedFetch, DrawbridgeError, type Login, openLogin } from 'mcp-drawbridge';",
      "export const fetch = authorizedFetch('https://mcp.example/mcp', { profile: 'work' });",
      "export const login: Promise<Login> = openLogin('https://mcp.example/mcp');",
      'export const code = (error: unknown) => (error instanceof DrawbridgeError ? error.code : undefined);',
      '// @ts-expect-error: no such option',
      "void openLogin('https://mcp.example/mcp', { profil: 'work' });",
    ].join('\n');
    await writeFile(join(folder, 'esm.mts'), code);
    await writeFile(join(folder, 'cjs.cts'), code);
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = await exec(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });
});

describe('at run time', () => {
  const USE = `
    const fetch = authorizedFetch('https://mcp.example/mcp', { nonInteractive: true });
    console.log(typeof fetch, typeof openLogin);
    openLogin('https://mcp.example/mcp', { profil: 'x' }).catch((error) => {
      console.log(error instanceof DrawbridgeError, error.code, error.message);
    });
  `;
  const SAID = 'function function\ntrue config "profil" is no option';
  const REQUIRE = `const { authorizedFetch, DrawbridgeError, openLogin } = require('mcp-drawbridge');${USE}`;

  it('can be imported', async () => {
    const code = `import { authorizedFetch, DrawbridgeError, openLogin } from 'mcp-drawbridge';${USE}`;
    expect(await run('esm.mjs', code)).toBe(SAID);
  });

  it('can be required', async () => {
    expect(await run('cjs.cjs', REQUIRE)).toBe(SAID);
  });

  it('can be required by a Node that cannot require ES modules', async () => {
    expect(await run('older.cjs', REQUIRE, '--no-experimental-require-module')).toBe(SAID);
  });

  it('exports exactly what its types say', async () => {
    const types = await readFile(
      join(program, 'node_modules/mcp-drawbridge/dist/library/index.d.ts'),
      'utf8',
    );
    const names = /^export \{ (.*) \};$/m.exec(types)?.[1]?.split(', ') ?? [];
    const values = names.filter((name) =>
      new RegExp(`^declare (abstract )?(class|function) ${name}\\b`, 'm').test(types),
    );
    expect(values).toContain('openLogin');
    const code = "import * as all from 'mcp-drawbridge'; console.log(Object.keys(all).sort().join());";
    expect(await run('names.mjs', code)).toBe(values.sort().join());
    const older = "console.log(Object.keys(require('mcp-drawbridge')).sort().join());";
    expect(await run('names.cjs', older)).toBe(values.join());
    expect(await run('older-names.cjs', older, '--no-experimental-require-module')).toBe(values.join());
  });

  it('has short lines: Node prints the one that threw an uncaught error', async () => {
    const code = "import { openLogin } from 'mcp-drawbridge'; await openLogin('http://mcp.example/mcp');";
    await writeFile(join(program, 'uncaught.mjs'), code);
    const running = exec(process.execPath, ['uncaught.mjs'], { cwd: program, env: home.env() });
    const { stderr } = await running.then(
      () => expect.unreachable(),
      (error: { readonly stderr: string }) => error,
    );
    const lines = stderr.split('\n');
    expect(lines[0]).toMatch(/library\/index\.js:\d+$/);
    expect(stderr).toContain('ConfigError: ');
    expect(lines.filter((line) => line.length > 200)).toEqual([]);
  });

  it('does nothing at import: adds no handler, keeps nothing open', async () => {
    const code = `
      const seen = () => JSON.stringify([process.eventNames(), Object.keys(globalThis), process.env, process.getActiveResourcesInfo().filter((kind) => !/^(CloseReq|PipeWrap)$/.test(kind))]);
      const before = seen();
      await import('mcp-drawbridge');
      // zod keeps its settings there, for all its copies in a process.
      delete globalThis.__zod_globalConfig;
      console.log(seen() === before ? 'the same' : seen());
    `;
    expect(await run('import.mjs', code)).toBe('the same');
  });
});
