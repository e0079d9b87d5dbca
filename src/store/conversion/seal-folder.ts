import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, readOwnFile } from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { KeychainError, systemCode } from '../files/store-errors.ts';
import { withFileLock } from '../lock/file-lock.ts';
import { PLAIN } from '../sealing/folder-sealing.ts';
import { MARKER, type Marker, readMarker, removeMarker, writeMarker } from '../sealing/marker.ts';
import { parseSealedFile } from '../sealing/sealed-file.ts';
import { type ConvertOptions, convertFolder, type Unconverted } from './convert-folder.ts';

/** The outcome of turning sealing on or off. */
export interface Turned {
  readonly backend: string;
  readonly keyId: string;
  /** Empty: done. Otherwise the marker says that the conversion is under way, and repeating the command continues it. */
  readonly left: readonly Unconverted[];
}

/**
 * Seals the logins of a folder: creates a key in the keychain, then the marker, then rewrites the existing files. A process that is killed leaves either no
 * marker or one that says that the conversion is under way; every login stays readable at each step. Without `backend`: the marker's, or else the system's.
 * Rejects with KeychainError, and then nothing has changed.
 */
export async function turnOn(
  folder: string,
  backend: string | undefined,
  options: ConvertOptions,
): Promise<Turned> {
  await ensureFolder(folder);
  return withMarkerLock(folder, options, async () => {
    const marker = await markerToBe(folder, backend, options);
    const form = await options.sealing.sealedForm(marker);
    if (marker.state !== 'on') await writeMarker(folder, { ...marker, state: 'turning-on' });
    const left = await convertFolder(folder, form, options);
    if (left.every(({ why }) => why !== 'busy') && marker.state !== 'on')
      await writeMarker(folder, { ...marker, state: 'on' });
    return { ...marker, left };
  });
}

async function markerToBe(
  folder: string,
  wanted: string | undefined,
  { sealing }: ConvertOptions,
): Promise<Marker> {
  const found = await readMarker(folder);
  const sealed = await sealedKeyIds(folder);
  const keys = await sealing.keys();
  if (found !== undefined) {
    if (wanted !== undefined && wanted !== found.backend) {
      throw new KeychainError('keychain', `the key of the logins is in another keychain (${found.backend})`, {
        hint: 'Run `keychain off` before another keychain is named.',
      });
    }
    // A missing key with nothing sealed under it is replaced.
    const isGone = await keys.get(found.backend, found.keyId).then(() => false, isMissing);
    if (!isGone || sealed.length > 0) return found;
    return { backend: found.backend, keyId: await keys.create(found.backend), state: 'turning-on' };
  }
  const backend = wanted ?? 'system';
  const [keyId] = sealed;
  // The marker was lost.
  if (keyId !== undefined) return { backend, keyId, state: 'turning-on' };
  return { backend, keyId: await keys.create(backend), state: 'turning-on' };
}

function isMissing(error: unknown): true {
  if (error instanceof KeychainError && error.code === 'keychain_key_missing') return true;
  throw error;
}

/**
 * Unseals the logins of a folder, and erases the key once nothing is sealed under it. Undefined: they were not sealed. Rejects with KeychainError if the key is
 * unavailable, and then nothing has changed.
 */
export async function turnOff(folder: string, options: ConvertOptions): Promise<Turned | undefined> {
  return withMarkerLock(folder, options, async () => {
    const marker = await readMarker(folder);
    if (marker === undefined) return undefined;
    const { backend, keyId } = marker;
    const keys = await options.sealing.keys();
    if ((await sealedKeyIds(folder)).length > 0) await keys.get(backend, keyId);
    await writeMarker(folder, { ...marker, state: 'turning-off' });
    const left = await convertFolder(folder, PLAIN, options);
    if (left.some(({ why }) => why === 'busy')) return { ...marker, left };
    await keys.erase(backend, keyId);
    await removeMarker(folder);
    return { ...marker, left };
  });
}

/** For a process that was started with a keychain: seals the folder before its first use. Does not wait for refreshes under way. */
export async function ensureOn(folder: string, backend: string, options: ConvertOptions): Promise<void> {
  const marker = await readMarker(folder);
  if (marker?.state === 'on') return;
  await turnOn(folder, marker?.backend ?? backend, { ...options, busyMs: 0 });
}

/** What is known of a folder without its key. */
export interface SealingOverview {
  readonly marker: Marker | undefined;
  readonly sealed: number;
  readonly plain: number;
}

/** Counts the files that hold logins. Changes nothing. */
export async function readSealing(folder: string): Promise<SealingOverview> {
  const marker = await readMarker(folder);
  const files = await loginFiles(folder);
  const sealed = files.filter((keyId) => keyId !== undefined).length;
  return { marker, sealed, plain: files.length - sealed };
}

async function sealedKeyIds(folder: string): Promise<string[]> {
  return (await loginFiles(folder)).filter((keyId) => keyId !== undefined);
}

/** For each file with a login the id of its key; undefined if it is plain. */
async function loginFiles(folder: string): Promise<(string | undefined)[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const found: (string | undefined)[] = [];
  for (const name of names) {
    if (!/^[0-9a-f]{64}\.(json|moving|corrupt-[0-9a-f]+|[^.]+\.\d+\.answer)$/.test(name)) continue;
    const read = await readOwnFile(join(folder, name), MAX_RECORD_BYTES);
    if (read.kind !== 'bytes' || !read.bytes.some((byte) => byte !== 0x20)) continue;
    found.push(parseSealedFile(read.bytes)?.keyId);
  }
  return found;
}

function withMarkerLock<T>(folder: string, options: ConvertOptions, run: () => Promise<T>): Promise<T> {
  return withFileLock(join(folder, MARKER), run, { signal: options.signal }, options);
}
