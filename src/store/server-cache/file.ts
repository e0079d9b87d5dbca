import { join } from 'node:path';
import { isObject } from '../../protocol/json/json-object.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';
import { ensureFolder, readOwnFile, replaceFile } from '../files/atomic-file.ts';
import { StoreInsecureError, systemCode } from '../files/store-errors.ts';

/** The file of one server. */
export interface CachedServerFile extends CachedServer {
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** The largest tool lists seen have some 300 KiB; a larger cache would not help. */
export const MAX_CACHED_SERVER_BYTES = 1024 * 1024;
const VERSION = 1;

/** `folder` is `servers/`. Undefined if absent, unreadable or of another version: it is only a cache. */
export async function readCachedServer(folder: string, key: string): Promise<CachedServerFile | undefined> {
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

export function parseCachedServer(bytes: Uint8Array): CachedServerFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== VERSION || typeof value.savedAt !== 'number') return undefined;
  const { savedAt, initialize, transport, era, lists } = value;
  return {
    savedAt,
    ...(isObject(initialize) ? { initialize } : {}),
    ...(transport === 'http' || transport === 'sse' ? { transport } : {}),
    ...(era === 'legacy' || era === 'modern' ? { era } : {}),
    lists: objectsOf(lists),
  };
}

/** False: too large, or not writable; the next start works without it. */
export async function writeCachedServer(
  folder: string,
  key: string,
  server: CachedServerFile,
): Promise<boolean> {
  const bytes = serializeCachedServer(server);
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

/** Undefined: larger than the limit, or nested deeper than the stack. */
export function serializeCachedServer({
  savedAt,
  initialize,
  transport,
  era,
  lists,
}: CachedServerFile): Buffer | undefined {
  const file = {
    version: VERSION,
    savedAt,
    initialize: isObject(initialize) ? initialize : undefined,
    transport,
    era,
    lists: objectsOf(lists),
  };
  let text: string;
  try {
    text = JSON.stringify(file);
  } catch (error) {
    // Nested deeper than the stack (.github/SECURITY.md, attack 17).
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > MAX_CACHED_SERVER_BYTES ? undefined : bytes;
}

/** Results are objects; anything else is not stored. */
function objectsOf(lists: unknown): NonNullable<CachedServer['lists']> {
  const entries = isObject(lists) ? Object.entries(lists) : [];
  return Object.fromEntries(entries.filter(([, result]) => isObject(result)));
}
