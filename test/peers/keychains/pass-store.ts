import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TemporaryHome } from '../processes/home.ts';

const USER = 'Test <test@example.invalid>';

/** A home with a GPG key and, once `initialize` has been called, a password store. */
export class PassStore implements AsyncDisposable {
  readonly home: TemporaryHome;

  private constructor(home: TemporaryHome) {
    this.home = home;
  }

  static async create(): Promise<PassStore> {
    const home = await TemporaryHome.create();
    await mkdir(join(home.folder, 'gnupg'), { mode: 0o700 });
    return new PassStore(home);
  }

  env(): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      HOME: this.home.folder,
      GNUPGHOME: join(this.home.folder, 'gnupg'),
    };
  }

  /** Makes the key, with this passphrase or without one, and the store. */
  initialize(passphrase = ''): void {
    this.#run('gpg', [
      ...['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', passphrase],
      ...['--quick-generate-key', USER, 'default', 'default', 'never'],
    ]);
    this.#run('pass', ['init', 'test@example.invalid']);
  }

  /** What the agent knew of the passphrase is forgotten. */
  lock(): void {
    this.#run('gpgconf', ['--kill', 'all']);
  }

  #run(command: string, args: readonly string[]): void {
    execFileSync(command, args, { env: this.env(), stdio: 'ignore' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lock();
    await this.home.close();
  }
}
