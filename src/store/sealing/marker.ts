import { join } from 'node:path';
import { isObject } from '../../protocol/json/json-object.ts';
import { isKeychainKind } from '../../protocol/keychain-kind.ts';
import { readOwnFile, removeFile, replaceFile, syncFolder } from '../files/atomic-file.ts';
import { KeychainError, LaterVersionError } from '../files/store-errors.ts';

/** In the folder with the records, so that it moves with them. */
export const MARKER = 'keychain.json';
/** A name and an id; a larger file is not ours. */
const MARKER_MAX_BYTES = 4 * 1024;
const VERSION = 1;

/** States that the records of a folder are sealed, and where their key is. */
export interface Marker {
  /** `system`, or `helper:NAME`. */
  readonly backend: string;
  /** The id of the key, which is also the account of the keychain item. 8 hex digits. */
  readonly keyId: string;
  /** How files are written from now on; the rest of the folder is as before until it has been rewritten. `on`: all of it is sealed. */
  readonly state: 'turning-on' | 'on' | 'turning-off';
}

/** Undefined: the records are plain. Rejects with StoreError if a marker exists and is unreadable: then nothing may be written as plain text. */
export async function readMarker(folder: string): Promise<Marker | undefined> {
  const path = join(folder, MARKER);
  const read = await readOwnFile(path, MARKER_MAX_BYTES);
  if (read.kind === 'absent') return undefined;
  const value = read.kind === 'bytes' ? parseJson(read.bytes) : undefined;
  if (isObject(value) && typeof value.version === 'number' && value.version > VERSION) {
    throw new LaterVersionError(`${path} was written by a later version of this program (${value.version})`, {
      hint: 'Update this installation.',
    });
  }
  const marker = isObject(value) ? markerIn(value) : undefined;
  if (marker !== undefined) return marker;
  throw new KeychainError(
    'keychain',
    `${path} should name the keychain with the key of the logins, but is unreadable`,
    { hint: 'Remove it and run `keychain on`, which finds the key again.' },
  );
}

function markerIn({ version, backend, keyId, state }: Readonly<Record<string, unknown>>): Marker | undefined {
  if (version !== VERSION || typeof backend !== 'string' || !isKeychainKind(backend)) return undefined;
  if (typeof keyId !== 'string' || !/^[0-9a-f]{8}$/.test(keyId)) return undefined;
  if (state !== 'turning-on' && state !== 'on' && state !== 'turning-off') return undefined;
  return { backend, keyId, state };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Replaces the marker. It is on disk when this resolves: later writes follow it. */
export async function writeMarker(folder: string, { backend, keyId, state }: Marker): Promise<void> {
  const path = join(folder, MARKER);
  await replaceFile(path, Buffer.from(`${JSON.stringify({ version: VERSION, backend, keyId, state })}\n`));
}

export async function removeMarker(folder: string): Promise<void> {
  if (await removeFile(join(folder, MARKER))) await syncFolder(folder);
}
