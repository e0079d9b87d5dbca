import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RolldownOutput } from 'rolldown';
import { noticesFor } from './notices.ts';
import { bundledFiles, bundleProgram, dist, libraryEntry, root, sharedStoreFiles } from './program.ts';
import { packageTypes } from './types.ts';

rmSync(dist, { recursive: true, force: true });
const output = await bundleProgram('dist');
writeFileSync(join(dist, 'launch.cjs'), launcher(sharedStoreFiles(output)), { mode: 0o755 });
copyFileSync(join(root, 'src/library/require.cjs'), join(dist, 'library/index.cjs'));
const types = packageTypes(libraryEntry);
for (const name of ['index.d.ts', 'index.d.cts']) writeFileSync(join(dist, 'library', name), types);
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesFor(bundledFiles(output), root));
process.stdout.write(`dist: ${summary(output)}\n`);

/** `src/launch.cjs` with the names of these files. */
function launcher(storeFiles: readonly string[]): string {
  const source = readFileSync(join(root, 'src/launch.cjs'), 'utf8');
  const list = 'const storeFiles = [];';
  if (!source.includes(list) || storeFiles.length === 0) throw new Error('launch.cjs has no list of files');
  return source.replace(list, `const storeFiles = ${JSON.stringify(storeFiles)};`);
}

function summary({ output: files }: RolldownOutput): string {
  const sizes = files.map(({ fileName }) => statSync(join(dist, fileName)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return `${sizes.length} files, ${Math.round(total / 1024)} KiB`;
}
