import { type Zippable, zipSync } from 'fflate';

/** The earliest time in a zip archive: equal contents make equal bytes, whenever they are packed. */
const NO_TIME = new Date(1980, 0, 1);
/** Unix, so that the modes below apply. */
const UNIX = 3;
const FILE = 0o100644;
const PROGRAM = 0o100755;

/** A zip archive of the files (path → content), the same bytes for the same files in any order. */
export function archive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries: Zippable = {};
  for (const path of [...files.keys()].sort()) {
    const mode = path.endsWith('/launch.cjs') ? PROGRAM : FILE;
    entries[path] = [
      files.get(path) as Uint8Array,
      { os: UNIX, attrs: mode << 16, mtime: NO_TIME, level: 9 },
    ];
  }
  return zipSync(entries);
}
