import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Room for a store with a few logins, the largest answer included. */
const SIZE_KIB = 1_024;
const PAGE_BYTES = 4_096;

/** A folder on a disk of its own, which fills up or turns read-only when a test says so. */
export interface SmallDisk extends AsyncDisposable {
  /** For a program that uses it: where the disk has to be imitated, Node is told so. */
  readonly env: Readonly<Record<string, string>>;
  /** Leaves this much room, nothing by default. */
  fill(roomKiB?: number): Promise<void>;
  free(): Promise<void>;
  makeReadOnly(): Promise<void>;
}

/** A real one where this process may mount; elsewhere calls that write fail as they would there. `folder` is empty or not there. */
export async function createSmallDisk(folder: string): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_KIB}k,mode=700`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return imitate(folder);
  }
  const filler = join(folder, 'filler');
  return {
    env: {},
    fill: async (roomKiB = 0) => {
      const file = await open(filler, 'a');
      try {
        for (;;) await file.appendFile(Buffer.alloc(PAGE_BYTES));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        const { size } = await file.stat();
        await file.truncate(Math.max(0, size - roomKiB * 1024));
        await file.close();
      }
    },
    free: () => rm(filler),
    makeReadOnly: async () => {
      execFileSync('mount', ['-o', 'remount,ro', folder]);
    },
    [Symbol.asyncDispose]: async () => {
      execFileSync('umount', ['-l', folder]);
    },
  };
}

async function imitate(folder: string): Promise<SmallDisk> {
  const [state, bundle, preload] = [`${folder}.disk`, `${folder}.disk.bundle.cjs`, `${folder}.disk.cjs`];
  await build({
    entryPoints: [fileURLToPath(new URL('./small-disk-preload.ts', import.meta.url))],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  const [from, to] = [JSON.stringify(bundle), JSON.stringify({ folder, state })];
  await writeFile(preload, `require(${from}).imitate(${to});\n`);
  return {
    env: { NODE_OPTIONS: `--require ${preload}` },
    fill: (roomKiB = 0) => writeFile(state, `ENOSPC ${roomKiB * 1024}`),
    free: () => rm(state),
    makeReadOnly: () => writeFile(state, 'EROFS 0'),
    [Symbol.asyncDispose]: () => rm(state, { force: true }),
  };
}
