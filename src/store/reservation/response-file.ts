import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import {
  createFile,
  moveFile,
  openFile,
  readOwnFile,
  removeFile,
  temporaryName,
} from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { systemCode } from '../files/store-errors.ts';
import { type Opener, openRecord } from '../record/read-record.ts';
import type { CredentialRecord } from '../record/record.ts';

/** White space, so that a record written over the front of it still parses. */
const PADDING = 0x20;

/**
 * Reserves space on disk for the largest possible record before the token is sent: a full disk is noticed now. The file gets its name last, so that its
 * presence means exactly "from here on the token may have been sent". False: another process has removed the file.
 */
export async function prepareResponseFile(path: string): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    await createFile(temporary, Buffer.alloc(MAX_RECORD_BYTES, PADDING));
    await moveFile(temporary, path);
    return true;
  } catch (error) {
    await removeFile(temporary);
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Writes into the reserved space, under the same name; a torn write does not parse. False: the file is gone. */
export async function fillResponseFile(path: string, bytes: Uint8Array): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await openFile(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    await handle.writeFile(bytes);
    await handle.truncate(bytes.length);
    await handle.sync();
    return true;
  } finally {
    await handle.close();
  }
}

export type ResponseFile =
  | { readonly kind: 'none' }
  /** Created but empty: the token may have been sent. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'whole'; readonly record: CredentialRecord };

/** `key`: of the record that it will become. Rejects with KeychainError if it is sealed and the key is unavailable. */
export async function readResponseFile(path: string, key: string, opener: Opener): Promise<ResponseFile> {
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  if (read.kind === 'absent') return { kind: 'none' };
  if (read.kind === 'refused') return { kind: 'empty' };
  const parsed = await openRecord(path, key, read.bytes, opener);
  return parsed.kind === 'record' ? { kind: 'whole', record: parsed.record } : { kind: 'empty' };
}
