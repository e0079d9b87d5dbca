import { chmodSync, copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RolldownOutput } from 'rolldown';
import { noticesFor } from './notices.ts';
import { bundledFiles, bundleProgram, dist, libraryEntry, root } from './program.ts';
import { packageTypes } from './types.ts';

rmSync(dist, { recursive: true, force: true });
const output = await bundleProgram('dist');
copyFileSync(join(root, 'src/launch.cjs'), join(dist, 'launch.cjs'));
chmodSync(join(dist, 'launch.cjs'), 0o755);
copyFileSync(join(root, 'src/library/require.cjs'), join(dist, 'library/index.cjs'));
const types = packageTypes(libraryEntry);
for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(dist, 'library', name), types);
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesFor(bundledFiles(output), root));
process.stdout.write(`dist: ${summary(output)}\n`);

function summary({ output: files }: RolldownOutput): string {
  const sizes = files.map(({ fileName }) => statSync(join(dist, fileName)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return `${sizes.length} files, ${Math.round(total / 1024)} KiB`;
}
