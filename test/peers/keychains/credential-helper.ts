import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openKeychain } from '../../../src/keychain/open-keychain.ts';
import { keychainPorts } from '../../../src/keychain/ports.ts';
import type { OpenKeeper } from '../../../src/store/sealing/keychain-keys.ts';

/** The contract of docker-credential-helpers: what was stored is kept in a file for each address. */
const SCRIPT = `#!/bin/sh
folder=$(dirname "$0")
[ -e "$folder/locked" ] && { echo "the keychain is locked"; exit 1; }
input=$(cat)
[ -e "$folder/slow" ] && echo $$ >> "$folder/asked"
while [ -e "$folder/slow" ]; do sleep 0.05; done
case "$1" in
  store) url=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/') ;;
  *) url=$input ;;
esac
file="$folder/item-$(printf %s "$url" | tr -c 'A-Za-z0-9' _)"
case "$1" in
  store) printf %s "$input" > "$file.new" && mv "$file.new" "$file" ;;
  get) [ -e "$file" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "$file" ;;
  erase) rm -f "$file" ;;
esac
`;

/** A program docker-credential-test in a folder of its own, which can be locked. */
export class CredentialHelper {
  /** As `--keychain` and `--backend` take it. */
  readonly backend = 'helper:test';
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(home: string): Promise<CredentialHelper> {
    const folder = join(home, 'helper');
    await mkdir(folder, { recursive: true });
    const program = join(folder, 'docker-credential-test');
    await writeFile(program, SCRIPT);
    await chmod(program, 0o755);
    return new CredentialHelper(folder);
  }

  /** For a program that is to find it. */
  get path(): string {
    return `${this.#folder}:${process.env.PATH}`;
  }

  lock(): Promise<void> {
    return writeFile(join(this.#folder, 'locked'), '');
  }

  unlock(): Promise<void> {
    return rm(join(this.#folder, 'locked'), { force: true });
  }

  /** It answers no more, as one that asks its owner. */
  halt(): Promise<void> {
    return writeFile(join(this.#folder, 'slow'), '');
  }

  /** It answers again, also what it was asked meanwhile. */
  resume(): Promise<void> {
    return rm(join(this.#folder, 'slow'), { force: true });
  }

  /** Processes that were asked while it was halted, and have not been ended. */
  async waiting(): Promise<readonly number[]> {
    const text = await readFile(join(this.#folder, 'asked'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number).filter(isRunning);
  }

  /** Everything that it kept is gone. */
  async forget(): Promise<void> {
    for (const name of await readdir(this.#folder))
      if (name.startsWith('item-')) await rm(join(this.#folder, name));
  }

  /** For a store in the test's own process. */
  readonly open: OpenKeeper = async () =>
    openKeychain(
      'helper:test',
      keychainPorts(NO_FILES, { platform: process.platform, env: { ...process.env, PATH: this.path } }),
    );
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const NO_FILES = {
  read: async () => undefined,
  write: async () => undefined,
  remove: async () => false,
};
