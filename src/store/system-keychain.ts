import { join } from 'node:path';
import type { KeyFile } from '../keychain/ports.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { isKeychainKind } from '../protocol/keychain-kind.ts';
import { readOwnFile, removeFile, replaceFile, syncFolder } from './files/atomic-file.ts';
import { KeychainError, StoreError } from './files/store-errors.ts';
import { FolderSealing } from './sealing/folder-sealing.ts';
import type { OpenKeeper } from './sealing/keychain-keys.ts';

/** The keychains of this machine; their code is loaded when a key is needed. */
function systemKeychain(folder: string): OpenKeeper {
  return async (backend) => {
    if (!isKeychainKind(backend)) {
      throw new KeychainError('keychain', `there is no keychain called ${backend}`, {
        hint: 'It is `system`, or `helper:NAME` for a program docker-credential-NAME.',
      });
    }
    const [{ openKeychain }, { keychainPorts }] = await Promise.all([
      import('../keychain/open-keychain.ts'),
      import('../keychain/ports.ts'),
    ]);
    return openKeychain(backend, keychainPorts(keyFileIn(folder)));
  };
}

/** How the records of this folder are read and written. */
export function sealingOf(
  folder: string,
  open: OpenKeeper = systemKeychain(folder),
  clock: Pick<Clock, 'monotonic'> = systemClock,
): FolderSealing {
  return new FolderSealing(folder, open, clock);
}

/** 32 bytes encrypted by DPAPI are some 400 characters. */
const KEY_FILE_MAX_BYTES = 4 * 1024;

/** Windows: the keys, encrypted for this user, next to the records that they open. */
export function keyFileIn(folder: string): KeyFile {
  const path = (account: string) => join(folder, `keychain-${account}.dpapi`);
  return {
    async read(account) {
      const read = await readOwnFile(path(account), KEY_FILE_MAX_BYTES);
      if (read.kind === 'refused') throw new StoreError(`${path(account)} ${read.reason}`);
      return read.kind === 'absent' ? undefined : read.bytes.toString('utf8');
    },
    write: (account, text) => replaceFile(path(account), Buffer.from(text)),
    async remove(account) {
      const isGone = await removeFile(path(account));
      if (isGone) await syncFolder(folder);
      return isGone;
    },
  };
}
