import { join } from 'node:path';
import { isObject, type JsonObject } from '../../protocol/json-object.ts';
import { ensureFolder, readOwnFile, replaceFile } from '../files/atomic-file.ts';
import { StoreInsecureError, systemCode } from '../files/store-errors.ts';

/** What a server answered last time, for the stand-in. Nothing in it is secret, nothing depends on it. */
export interface CachedServer {
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  /** The result of `initialize`. */
  readonly initialize?: JsonObject;
  /** The transport by which it answered. */
  readonly transport?: string;
  /** The era of the protocol that it turned out to speak. */
  readonly era?: 'legacy' | 'modern';
  /** Method (`tools/list` …) → its result. */
  readonly lists: ReadonlyMap<string, JsonObject>;
}

/** The largest tool lists seen are some 300 KiB; a stand-in that needs more is better without. */
export const MAX_CACHED_SERVER_BYTES = 1024 * 1024;
const VERSION = 1;

/** `folder` is `servers/`. Absent, unreadable, of another version: undefined, it is only a convenience. */
export async function readCachedServer(folder: string, key: string): Promise<CachedServer | undefined> {
  let bytes: Buffer;
  try {
    const read = await readOwnFile(join(folder, `${key}.json`), MAX_CACHED_SERVER_BYTES);
    if (read.kind !== 'bytes') return undefined;
    bytes = read.bytes;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
  return parseCachedServer(bytes);
}

export function parseCachedServer(bytes: Uint8Array): CachedServer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== VERSION || typeof value.savedAt !== 'number') return undefined;
  const entries = isObject(value.lists) ? Object.entries(value.lists) : [];
  const lists = new Map(entries.filter((entry): entry is [string, JsonObject] => isObject(entry[1])));
  return {
    savedAt: value.savedAt,
    ...(isObject(value.initialize) ? { initialize: value.initialize } : {}),
    ...(typeof value.transport === 'string' ? { transport: value.transport } : {}),
    ...(value.era === 'legacy' || value.era === 'modern' ? { era: value.era } : {}),
    lists,
  };
}

/** False: too large, or nowhere to write it; the next start will do without. */
export async function writeCachedServer(
  folder: string,
  key: string,
  remembered: CachedServer,
): Promise<boolean> {
  const bytes = serializeCachedServer(remembered);
  if (bytes === undefined) return false;
  try {
    await ensureFolder(folder);
    await replaceFile(join(folder, `${key}.json`), bytes);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof StoreInsecureError)) throw error;
    return false;
  }
}

export function serializeCachedServer(remembered: CachedServer): Buffer | undefined {
  const { savedAt, initialize, transport, era, lists } = remembered;
  let text: string;
  try {
    text = JSON.stringify({
      version: VERSION,
      savedAt,
      initialize,
      transport,
      era,
      lists: Object.fromEntries(lists),
    });
  } catch {
    // Nested deeper than the stack (.github/SECURITY.md, attack 17).
    return undefined;
  }
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > MAX_CACHED_SERVER_BYTES ? undefined : bytes;
}
