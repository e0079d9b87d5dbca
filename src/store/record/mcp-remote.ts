import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { lenient } from '../../platform/lenient.ts';
import { readOwnFile } from '../files/atomic-file.ts';
import { asStoreErrors, systemCode } from '../files/store-errors.ts';
import type { PortableCredential } from './portable.ts';

/*
 * The files of mcp-remote: FOLDER/mcp-remote-VERSION/HASH_tokens.json and HASH_client_info.json, where HASH is the MD5 of what the login
 * depends on. The files do not say to which server they belong, so they can only be found if the address is known.
 */

/** Real files have some 10 KiB. */
const MAX_FILE_BYTES = 256 * 1024;

const text = z.string();

const tokensSchema = z.object({
  access_token: text,
  refresh_token: lenient(text),
  /** Milliseconds since the epoch; absent in files of old versions, which only have `expires_in`. */
  expires_at: lenient(z.coerce.number()),
  expires_in: lenient(z.coerce.number()),
  scope: lenient(text),
  id_token: lenient(text),
  issuer: lenient(text),
});
const clientSchema = z.object({
  client_id: text,
  client_secret: lenient(text),
  token_endpoint_auth_method: lenient(text),
  redirect_uris: lenient(z.array(text)),
  issuer: lenient(text),
});

/** What a login of mcp-remote depends on. Headers are as written: mcp-remote hashes them before it expands variables. */
export interface McpRemoteLogin {
  readonly server: URL;
  readonly resource: string | undefined;
  readonly headers: readonly Pair[];
  readonly authorizeParams?: readonly Pair[];
  readonly clientMetadataUrl?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
}

type Pair = readonly [name: string, value: string];

/** The names under which mcp-remote may have stored a login for this address, as its `getServerUrlHash` computes them. */
export function mcpRemoteHashes(login: McpRemoteLogin): string[] {
  const { server, resource, headers, authorizeParams = [], clientMetadataUrl, tokenEndpoint } = login;
  // A version without one of these settings hashed without it.
  const parts = [resource, sorted(authorizeParams), sorted(headers), clientMetadataUrl, tokenEndpoint];
  const known = parts.filter((part) => part !== undefined);
  let choices: readonly (readonly string[])[] = [[]];
  for (const part of known.reverse()) choices = [...choices.map((rest) => [part, ...rest]), ...choices];
  // It hashes the address as it was typed: a slash added by the URL parser may be missing.
  const { href, origin } = server;
  const spellings = href === `${origin}/` ? [href, origin] : [href];
  return spellings.flatMap((url) =>
    choices.map((choice) =>
      createHash('md5')
        .update([url, ...choice].join('|'))
        .digest('hex'),
    ),
  );
}

/** The pairs as JSON, sorted by name; undefined if there are none. */
function sorted(pairs: readonly Pair[]): string | undefined {
  const names = pairs.map(([name]) => name).sort();
  return pairs.length === 0 ? undefined : JSON.stringify(Object.fromEntries(pairs), names);
}

/** The newest login under one of these names; undefined if there is none. Changes nothing there. */
export async function readMcpRemote(
  folder: string,
  hashes: readonly string[],
  now: number,
): Promise<PortableCredential | undefined> {
  return asStoreErrors(folder, async () => {
    const versions = (await names(folder)).filter((name) => name.startsWith('mcp-remote-'));
    const candidates: { readonly base: string; readonly at: number }[] = [];
    for (const version of versions) {
      for (const hash of hashes) {
        const base = join(folder, version, hash);
        const stats = await stat(`${base}_tokens.json`).catch(() => undefined);
        if (stats !== undefined) candidates.push({ base, at: stats.mtimeMs });
      }
    }
    candidates.sort((a, b) => b.at - a.at);
    for (const { base, at } of candidates) {
      const tokens = await readJson(`${base}_tokens.json`, tokensSchema);
      if (tokens === undefined) continue;
      return portable(tokens, await readJson(`${base}_client_info.json`, clientSchema), at, now);
    }
    return undefined;
  });
}

function portable(
  tokens: z.output<typeof tokensSchema>,
  client: z.output<typeof clientSchema> | undefined,
  savedAt: number,
  now: number,
): PortableCredential {
  const { expires_at: endsAt, expires_in: lifetime, refresh_token: refreshToken } = tokens;
  const expiresAtMs = endsAt ?? (lifetime === undefined ? undefined : savedAt + lifetime * 1000);
  return {
    access_token: tokens.access_token,
    // A refresh token is useless without its client.
    refresh_token: client === undefined ? undefined : refreshToken,
    expires_at: expiresAtMs === undefined ? undefined : Math.max(0, Math.min(expiresAtMs, now * 2)) / 1000,
    scope: tokens.scope,
    id_token: tokens.id_token,
    issuer: tokens.issuer ?? client?.issuer,
    client_id: client?.client_id,
    client_secret: client?.client_secret,
    token_endpoint_auth_method: client?.token_endpoint_auth_method,
    redirect_uri: client?.redirect_uris?.[0],
  };
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readJson<T extends z.core.$ZodType>(
  path: string,
  schema: T,
): Promise<z.output<T> | undefined> {
  const read = await readOwnFile(path, MAX_FILE_BYTES);
  if (read.kind !== 'bytes') return undefined;
  try {
    return z.parse(schema, JSON.parse(read.bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}
