import { basename } from 'node:path';
import { readOwnFile } from '../files/atomic-file.ts';
import { refuseMoved } from '../files/move-note.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { LaterVersionError } from '../files/store-errors.ts';
import type { FolderSealing } from '../sealing/folder-sealing.ts';
import type { CredentialRecord, RecordIdentity } from './record.ts';
import type { ParsedRecord } from './record-schema.ts';

type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'record'; readonly record: CredentialRecord };

/** Opens the sealed files of a folder. */
export type Opener = Pick<FolderSealing, 'open'>;

/** Rejects with KeychainError if the record is sealed and the key is unavailable, and with StoreMovedError if it is in another store. */
export async function readRecord(path: string, opener: Opener, identity?: RecordIdentity): Promise<Found> {
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  if (read.kind === 'absent') {
    await refuseMoved(path, basename(path, '.json'));
    return read;
  }
  if (read.kind === 'refused') return { kind: 'corrupt' };
  const parsed = await openRecord(path, basename(path, '.json'), read.bytes, opener);
  if (parsed.kind === 'newer') {
    throw new LaterVersionError(
      `${path} was written by a later version of this program (${parsed.version})`,
      {
        hint: 'Update the older installation, or give it a folder of its own with MCP_DRAWBRIDGE_HOME.',
      },
    );
  }
  if (parsed.kind === 'corrupt' || !belongsTo(parsed.record, identity)) return { kind: 'corrupt' };
  return parsed;
}

/** Reads the bytes of a file that holds the record of this key, or will become it. */
export async function openRecord(
  path: string,
  key: string,
  bytes: Uint8Array,
  opener: Opener,
): Promise<ParsedRecord> {
  const opened = await opener.open(key, bytes, async () => {
    const again = await readOwnFile(path, MAX_RECORD_BYTES);
    return again.kind === 'bytes' ? again.bytes : bytes;
  });
  if (opened.kind === 'not-authentic') return { kind: 'corrupt' };
  // The schema is loaded only when there is something to check: on a first start there is nothing.
  const { parseRecord } = await import('./record-schema.ts');
  return parseRecord(opened.plain);
}

/** .github/SECURITY.md, attack 37: a record copied over another's file would send its tokens to the wrong server. */
export function belongsTo(record: CredentialRecord, identity: RecordIdentity | undefined): boolean {
  if (identity === undefined) return true;
  if (record.server !== identity.server) return false;
  return identity.resource === undefined || record.resource === identity.resource;
}
