import { chmodSync, copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { noticesFor } from './notices.ts';

const root = new URL('..', import.meta.url).pathname;
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir: dist,
  bundle: true,
  splitting: true, // what is imported lazily is loaded lazily
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  // Names stay: a stack trace from a user has to be readable, and error classes are known by theirs.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none', // the notices hold the licences, once each
  define: { DRAWBRIDGE_VERSION: JSON.stringify(version) },
  // CommonJS packages inside the bundle ask for Node's own modules by `require`, which an ES module does not have.
  banner: {
    js: "import{createRequire as toRequire}from'node:module';const require=toRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
copyFileSync(join(root, 'src/launch.cjs'), join(dist, 'launch.cjs'));
chmodSync(join(dist, 'launch.cjs'), 0o755);
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), noticesFor(bundledFiles(metafile), root));
process.stdout.write(`dist: ${summary(metafile)}\n`);

/** The files of which at least a byte is in the program. */
function bundledFiles({ outputs }: Metafile): string[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  return [...new Set(files)];
}

function summary({ outputs }: Metafile): string {
  const sizes = Object.keys(outputs).map((file) => statSync(join(root, file)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return `${sizes.length} files, ${Math.round(total / 1024)} KiB`;
}
