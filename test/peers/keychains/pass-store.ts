import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
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
    const folder = join(home.folder, 'gnupg');
    await mkdir(folder, { mode: 0o700 });
    // Without it GnuPG measures for seconds how strongly this machine can guard a passphrase.
    await writeFile(join(folder, 'gpg-agent.conf'), 's2k-count 65536\n');
    return new PassStore(home);
  }

  env(): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      HOME: this.home.folder,
      GNUPGHOME: join(this.home.folder, 'gnupg'),
    };
  }

  /** Makes the key (of an elliptic curve: RSA takes seconds), with this passphrase or without one, and the store. */
  initialize(passphrase = ''): void {
    this.#run('gpg', [
      ...['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', passphrase],
      ...['--quick-generate-key', USER, 'future-default', 'default', 'never'],
    ]);
    this.#run('pass', ['init', 'test@example.invalid']);
  }

  /** The files with passwords, below the folder of the store. */
  async entries(): Promise<string[]> {
    const files = await readdir(join(this.home.folder, '.password-store'), { recursive: true });
    return files.filter((name) => name.endsWith('.gpg'));
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
