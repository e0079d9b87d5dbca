import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAuthorizationServer } from '../../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { Command } from '../../peers/hosts/command.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { PackageFolder } from '../../peers/programs/package-folder.ts';
import { refusal, Vendor } from '../../peers/vendors/vendor.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const chapter = /## In a program\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
/** The text of each program, by the comment that it begins with. */
const programs = new Map(
  Array.from(chapter.matchAll(/```ts\n\/\/ (.*)\n([\s\S]*?)```/g), ([, title = '', text = '']) => [
    title,
    text,
  ]),
);

let home: TemporaryHome;
let folder: PackageFolder;
beforeAll(async () => {
  home = await createTemporaryHome();
  folder = await PackageFolder.create(home.folder);
});
afterAll(() => home.close());

/** The program as it stands in the README, but for the address of the server. */
async function run(title: string, url: string, env: Readonly<Record<string, string>>): Promise<Command> {
  const text = programs.get(title)?.replace('https://example.com/mcp', url) ?? '';
  return new Command([], env, await folder.write(`${title.replace(/\W+/g, '-')}.mjs`, text));
}

test('the README has these three programs', () => {
  expect([...programs.keys()]).toEqual(['SDK 1.x', 'SDK 2.x', 'AI SDK, for a service']);
  expect(Array.from(chapter.matchAll(/^```\w+$/gm))).toHaveLength(programs.size);
});

test('README, SDK 1.x: a page opens, and the tools are listed', async () => {
  await using own = await createTemporaryHome();
  await using browser = await createFakeBrowser(own.folder, 'follow');
  await using authority = await startAuthorizationServer();
  await using server = await startMcpServer({ authority });
  const program = await run('SDK 1.x', server.url, own.env({ BROWSER: browser.command }));
  const { code, stdout, stderr } = await program.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('echo');
  expect(authority.counters).toMatchObject({ codeExchanges: 1, refreshPosts: 0 });
});

test('README, SDK 2.x: shows the address, waits for the sign-in, and lists the tools', async () => {
  await using own = await createTemporaryHome();
  await using authority = await startAuthorizationServer();
  await using server = await startMcpServer({ authority });
  const program = await run('SDK 2.x', server.url, own.env());
  const [, address = ''] = await said(program, /Open (http\S+)/);
  await visit(address, { answer: 'allow' });
  const { code, stdout, stderr } = await program.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('echo');
  expect(authority.counters).toMatchObject({ codeExchanges: 1 });
});

test('README, AI SDK, for a service: without a sign-in, the tools are listed', async () => {
  await using own = await createTemporaryHome();
  await using vendor = await Vendor.start({
    metadata: () => ({ registration_endpoint: undefined }),
    token: (form, _request, one) =>
      form.get('grant_type') === 'client_credentials'
        ? one.issue(undefined, { refresh_token: undefined })
        : refusal('unsupported_grant_type'),
  });
  const env = own.env({ CLIENT_SECRET: 'client-secret-canary' });
  const { code, stdout, stderr } = await (await run('AI SDK, for a service', vendor.mcpUrl, env)).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('echo');
  expect(vendor.tokenForms).toHaveLength(1);
});

/** Resolves with the match once the program has printed it. */
function said(program: Command, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let printed = '';
    program.child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      const found = pattern.exec(printed);
      if (found !== null) resolve(found);
    });
    void program.ended.then(({ stderr }) => reject(new Error(`ended without ${pattern}: ${stderr}`)));
  });
}

const exec = promisify(execFile);
const MODES = [
  { name: 'ESM, node16', extension: 'mts', options: { module: 'node16', moduleResolution: 'node16' } },
  { name: 'CommonJS, node16', extension: 'cts', options: { module: 'node16', moduleResolution: 'node16' } },
  { name: 'a bundler', extension: 'mts', options: { module: 'esnext', moduleResolution: 'bundler' } },
] as const;

describe.each(MODES)('the types, for $name', ({ name, extension, options }) => {
  test("the programs of the README compile under TypeScript's strictest options", async () => {
    const base = `types-${name.replace(/\W+/g, '-')}`;
    const texts = [...programs.values()].map(extension === 'cts' ? inFunction : (text) => text);
    for (const [at, text] of texts.entries()) await folder.write(`${base}/program-${at}.${extension}`, text);
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2023', 'dom'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true, // of the clients; this package's own types have a test in package.test.ts
      noEmit: true,
    };
    const config = await folder.write(
      `${base}/tsconfig.json`,
      JSON.stringify({ compilerOptions, include: ['.'] }),
    );
    const checked = exec(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);
    expect((await checked.catch((error: { stdout: string }) => error)).stdout).toBe('');
  });
});

/** CommonJS has no `await` outside of a function: what follows the imports goes into one. */
function inFunction(text: string): string {
  const rest = text.replace(/^import .*\n/gm, '');
  const imports = text.match(/^import .*\n/gm)?.join('') ?? '';
  return `${imports}export async function main() {\n${rest}}\n`;
}
