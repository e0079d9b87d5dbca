import { readOwnFile, replaceFile } from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { StoreError } from '../files/store-errors.ts';
import type { RecordForm } from '../sealing/folder-sealing.ts';
import type { Opener } from './read-record.ts';

/**
 * Brings a file of this key into another form, sealed or plain, and leaves what is in it. To be called by the holder of the lock. False: it is no file of
 * ours, or too large. Rejects with KeychainError where it is sealed and its key cannot be had.
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
  // What is not authentic is sealed, and of no use to anybody.
  if (opened.kind === 'not-authentic' || opened.keyId === form.keyId) return true;
  try {
    await replaceFile(path, form.file(key, opened.plain));
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
