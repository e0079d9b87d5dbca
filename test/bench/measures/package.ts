import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { measureNpx } from './npx.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BYTES_PER_KB = 1_000;

/**
 * The package as it would be published: how large, how many come with it, how long `npx` takes that never saw it, and then so many starts of
 * `subject`, which is the program itself, by way of `npx`.
 */
export async function measurePackage(subject: Subject, repeats: number): Promise<readonly Figures[]> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-'));
  try {
    // Built by the caller: `npm run bench` builds before it starts.
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      {
        cwd: ROOT,
      },
    );
    const [packed] = JSON.parse(stdout) as [{ filename: string; size: number; unpackedSize: number }];
    const tarball = join(folder, packed.filename);
    const installed = join(folder, 'installed');
    const quiet = ['--no-audit', '--no-fund', '--offline', '--cache', join(folder, 'cache')];
    await run('npm', ['install', '--prefix', installed, ...quiet, tarball]);
    const npx = ['--yes', '--offline', '--cache', join(folder, 'npx-cache')];
    const from = performance.now();
    await run('npx', [...npx, '--package', tarball, '--', 'mcp-drawbridge', '--version'], {
      cwd: folder,
    });
    const cold = performance.now() - from;
    const figures = {
      'package, packed': packed.size / BYTES_PER_KB,
      'package, unpacked': packed.unpackedSize / BYTES_PER_KB,
      'packages installed': await packagesIn(join(installed, 'node_modules')),
      'npx from a cold cache': cold,
    };
    const command = ['npx', ...npx, '--package', tarball, '--', 'mcp-drawbridge'];
    const starts: Figures[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) starts.push(await measureNpx(command, subject));
    return [figures, ...starts];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packages in a `node_modules`, those within scopes and within each other included. */
async function packagesIn(folder: string): Promise<number> {
  let count = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) count += await packagesIn(join(folder, name));
    else count += 1 + (await packagesIn(join(folder, name, 'node_modules')));
  }
  return count;
}
