import { appendFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files of this program by their path in its package: `dist/…`, and LICENSE. `script` is its first file, `dist/launch.cjs`. */
export function programFiles(script: string): Map<string, Uint8Array> {
  const dist = dirname(realpathSync(script));
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`dist/${path.slice(dist.length + 1).replaceAll('\\', '/')}`, readFileSync(path));
  }
  files.set('LICENSE', readFileSync(join(dist, '../LICENSE')));
  return files;
}

/** A file named by the user. Throws the system's error. */
export function readInputFile(path: string): Uint8Array {
  return readFileSync(path);
}

/** Creates a file that only its owner can read. Throws the system's error, with the code EEXIST for an existing file. */
export function createPrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
}

/** Adds to a file, which keeps its mode. Throws the system's error. */
export function appendToFile(path: string, text: string): void {
  appendFileSync(path, text);
}

/** Writes a file that a person asked for. An existing one is replaced only with `replace`; otherwise the error has the code EEXIST. */
export function writeOutputFile(path: string, bytes: Uint8Array, replace: boolean): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { flag: replace ? 'w' : 'wx' });
}
