import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A home folder for the time of a test, with the folder that the built program keeps its state in. */
export class TemporaryHome implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<TemporaryHome> {
    return new TemporaryHome(await mkdtemp(join(tmpdir(), 'drawbridge-test-')));
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  /** What a program started for this home finds in its environment, besides what `extra` says. */
  env(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      USERPROFILE: this.folder,
      MCP_DRAWBRIDGE_HOME: this.state,
      // The desktop of the machine that runs the tests is not for them: a page opens in BROWSER, or nowhere.
      SSH_CONNECTION: '192.0.2.1 40000 192.0.2.2 22',
      ...extra,
    };
  }

  /** Sign-in processes are detached and outlive their bridge: those of this home are ended with it. */
  async reap(): Promise<number[]> {
    const reaped: number[] = [];
    for (const name of await readdir('/proc').catch(() => [])) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
      const environ = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
      const own = environ.split('\0');
      if (!own.includes(`HOME=${this.folder}`) && !own.includes(`MCP_DRAWBRIDGE_HOME=${this.state}`))
        continue;
      try {
        process.kill(Number(name), 'SIGKILL');
        reaped.push(Number(name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    return reaped;
  }

  async close(): Promise<void> {
    await this.reap();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export function createTemporaryHome(): Promise<TemporaryHome> {
  return TemporaryHome.create();
}
