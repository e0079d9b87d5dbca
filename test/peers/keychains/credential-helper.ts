import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openKeychain } from '../../../src/keychain/open-keychain.ts';
import { keychainPorts } from '../../../src/keychain/ports.ts';
import type { OpenKeeper } from '../../../src/store/sealing/keychain-keys.ts';

/** The contract of docker-credential-helpers: what was stored is kept in a file for each address. */
const SCRIPT = `#!/bin/sh
folder=$(dirname "$0")
[ -e "$folder/locked" ] && { echo "the keychain is locked"; exit 1; }
input=$(cat)
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

const NO_FILES = {
  read: async () => undefined,
  write: async () => undefined,
  remove: async () => false,
};
