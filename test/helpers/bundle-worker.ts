import { build, type Plugin } from 'esbuild';

/** Bundles a program of the tests (`test/…`) into one file, so that many processes start fast on a machine with two processors. Resolves with the file. */
export async function bundleWorker(
  entry: string,
  outfile: string,
  plugins: readonly Plugin[] = [],
): Promise<string> {
  await build({
    absWorkingDir: new URL('../..', import.meta.url).pathname,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    logLevel: 'warning',
    plugins: [...plugins],
    banner: {
      js: "import{createRequire as toRequire}from'node:module';const require=toRequire(import.meta.url);",
    },
  });
  return outfile;
}
