import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A preload under which a program is on a machine of its own: with another boot id, process ids of others say nothing to it. */
export async function elsewhere(folder: string): Promise<string> {
  const file = join(folder, 'machine.cjs');
  await writeFile(
    file,
    `const { promises } = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const { readFile } = promises;
promises.readFile = async (path, ...rest) =>
  path === '/proc/sys/kernel/random/boot_id' ? '${randomUUID()}\\n' : readFile(path, ...rest);
syncBuiltinESMExports();
`,
  );
  return file;
}
