import { readOwnFile } from '../files/atomic-file.ts';
import { LaterVersionError } from '../files/store-errors.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import type { CredentialRecord, RecordIdentity } from './record.ts';

type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'record'; readonly record: CredentialRecord };

export async function readRecord(path: string, identity?: RecordIdentity): Promise<Found> {
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  if (read.kind === 'absent') return read;
  if (read.kind === 'refused') return { kind: 'corrupt' };
  // The schema is loaded when there is something to check: a first start has nothing.
  const { parseRecord } = await import('./record-schema.ts');
  const parsed = parseRecord(read.bytes);
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

/** .github/SECURITY.md, attack 37: a record that lies under another's name would carry its tokens to the wrong server. */
export function belongsTo(record: CredentialRecord, identity: RecordIdentity | undefined): boolean {
  if (identity === undefined) return true;
  if (record.server !== identity.server) return false;
  return identity.resource === undefined || record.resource === identity.resource;
}
