import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const exec = promisify(execFile);

/** What the programs ask the registry for, beside this package. */
const REGISTRY = ['@modelcontextprotocol', '@ai-sdk', '@openai', '@langchain', 'zod', '@types'];

/** A folder as a consumer has it: this package as it would be published, the registry's packages beside it, and the programs of `sources/`. */
export class PackageFolder {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(parent: string): Promise<PackageFolder> {
    const folder = join(parent, 'consumer');
    const installed = join(folder, 'node_modules/mcp-drawbridge');
    await mkdir(installed, { recursive: true });
    // Without scripts: `prepack` would build into the folder that other tests run from.
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const [packed] = JSON.parse((await exec('npm', args, { cwd: root })).stdout) as { filename: string }[];
    await exec('tar', [
      '-xzf',
      join(folder, packed?.filename ?? ''),
      '-C',
      installed,
      '--strip-components=1',
    ]);
    for (const name of REGISTRY) {
      await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
    await cp(fileURLToPath(new URL('./sources', import.meta.url)), join(folder, 'programs'), {
      recursive: true,
    });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
    return new PackageFolder(folder);
  }

  program(name: ProgramName): string {
    return join(this.folder, 'programs', `${name}.mjs`);
  }

  /** Writes a file of the consumer's own. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.folder, name);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }
}

/** The programs that use this package with a Streamable HTTP server. */
export const HTTP_PROGRAMS = [
  'sdk1-http',
  'sdk1-transport',
  'sdk2-fetch',
  'sdk2-provider',
  'ai-sdk',
  'openai-agents',
  'langchain',
] as const;

/** `own-provider` does without this package. */
export type ProgramName = (typeof HTTP_PROGRAMS)[number] | 'sdk1-sse' | 'own-provider';
