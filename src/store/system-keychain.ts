import { KeychainError } from './files/store-errors.ts';
import { FolderSealing } from './sealing/folder-sealing.ts';
import type { OpenKeeper } from './sealing/keychain-keys.ts';

/** The keychains of this machine; their code is loaded when a key is needed. */
const openSystemKeychain: OpenKeeper = async (backend) => {
  throw new KeychainError('keychain_absent', `this version cannot ask the keychain (${backend})`);
};

/** How the records of this folder are read and written. */
export function sealingOf(folder: string, open: OpenKeeper = openSystemKeychain): FolderSealing {
  return new FolderSealing(folder, open);
}
