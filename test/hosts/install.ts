import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { HostProfile } from './profiles.ts';

const run = promisify(execFile);

/** All eight take 1.9 GB, and are kept from run to run. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mcp-drawbridge-hosts');

/** Installs a host from npm where it is not there yet, and says how it is started. Its native part is a package of npm, too. */
export async function install(profile: HostProfile, cache: string): Promise<readonly string[]> {
  const folder = join(cache, `${profile.name}-${profile.version}`);
  const modules = join(folder, 'node_modules');
  if ((await installedVersion(join(modules, profile.package))) !== profile.version) {
    await mkdir(folder, { recursive: true });
    const flags = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, `${profile.package}@${profile.version}`]);
  }
  const program = join(modules, profile.program.replace('PLATFORM', `${process.platform}-${process.arch}`));
  if (!existsSync(program)) throw new Error(`${profile.package} ${profile.version} has no ${program}`);
  return program.endsWith('.js') ? [process.execPath, program] : [program];
}

async function installedVersion(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text).version;
}
