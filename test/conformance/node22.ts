import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The suite's runner needs this major version; the program under test runs with the Node that runs this. */
const MAJOR = 22;

/** The path of a `node` that can run the suite, fetched once into node_modules/.cache where the one at hand is older. */
export async function node22(root: string): Promise<string> {
  if (Number.parseInt(process.versions.node, 10) >= MAJOR) return process.execPath;
  const folder = join(root, 'node_modules/.cache/node22');
  const name = `node-${process.platform === 'darwin' && process.arch === 'arm64' ? 'bin-' : ''}${process.platform}-${process.arch}`;
  const binary = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(binary)) return binary;
  // As .ci/run: the package `node` brings its binary by an install script, its platform package is the binary.
  install(folder, `node@${MAJOR}`);
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/node/package.json'), 'utf8'));
  install(folder, `${name}@${version}`);
  return binary;
}

function install(folder: string, what: string): void {
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', ['install', '--prefix', folder, ...quiet, what], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
