import { quoteAddress } from '../protocol/quote.ts';
import { NoLoginFoundError } from '../store/files/store-errors.ts';
import { mcpRemoteHashes, readMcpRemote } from '../store/record/mcp-remote.ts';
import { type ImportParts, importCredential } from './tokens-import.ts';

export interface McpRemoteParts extends Omit<ImportParts, 'text' | 'server'> {
  readonly server: URL;
  /** Of mcp-remote. */
  readonly folder: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** `import-mcp-remote URL`: the login that mcp-remote has, so that nobody signs in again. Its files stay as they are. */
export async function importMcpRemote(parts: McpRemoteParts): Promise<string> {
  const { server, folder, headers, oauth, now } = parts;
  const hashes = mcpRemoteHashes({ server, resource: oauth.resource, headers });
  const found = await readMcpRemote(folder, hashes, now);
  if (found === undefined) {
    throw new NoLoginFoundError(`mcp-remote has no login for ${quoteAddress(server)} in ${folder}`, {
      hint: 'Write the address as in the config of mcp-remote, with the same --header and --resource.',
    });
  }
  return importCredential(parts, server, found);
}
