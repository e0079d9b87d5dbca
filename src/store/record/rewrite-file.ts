import { readOwnFile, replaceFile } from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { StoreError } from '../files/store-errors.ts';
import type { RecordForm } from '../sealing/folder-sealing.ts';
import type { Opener } from './read-record.ts';

/**
 * Converts a file of this key to another form, sealed or plain, without changing its contents. To be called by the holder of the lock. False: it is not our
 * file, or too large. Rejects with KeychainError if it is sealed and its key is unavailable.
 */
export async function rewriteFile(
  path: string,
  key: string,
  form: RecordForm,
  opener: Opener,
): Promise<boolean> {
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  if (read.kind === 'absent') return true;
  if (read.kind === 'refused') return false;
  const opened = await opener.open(key, read.bytes, async () => read.bytes);
  // A file that fails authentication stays sealed, and is useless to anyone.
  if (opened.kind === 'not-authentic' || opened.keyId === form.keyId) return true;
  try {
    await replaceFile(path, form.file(key, opened.plain));
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
