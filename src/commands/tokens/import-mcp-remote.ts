import { quoteAddress } from '../../protocol/quote.ts';
import { NoLoginFoundError } from '../../store/files/store-errors.ts';
import { type McpRemoteLogin, mcpRemoteHashes, readMcpRemote } from '../../store/record/mcp-remote.ts';
import { type ImportParts, importCredential } from './tokens-import.ts';

/** What `import-mcp-remote` needs. */
export interface McpRemoteParts extends Omit<ImportParts, 'text' | 'server'> {
  readonly server: URL;
  /** The config folder of mcp-remote. */
  readonly folder: string;
  readonly headers: McpRemoteLogin['headers'];
  /** The other settings on which its login depends. */
  readonly shape?: Pick<McpRemoteLogin, 'authorizeParams' | 'clientMetadataUrl' | 'tokenEndpoint'>;
}

/**
 * `import-mcp-remote URL`: imports the login of mcp-remote, so that no new sign-in is needed; the files of mcp-remote are not changed. Resolves with the
 * canonical address of the server. Rejects with NoLoginFoundError.
 */
export async function importMcpRemote(parts: McpRemoteParts): Promise<string> {
  const { server, folder, headers, shape, oauth, now } = parts;
  const hashes = mcpRemoteHashes({ server, resource: oauth.resource, headers, ...shape });
  const found = await readMcpRemote(folder, hashes, now);
  if (found === undefined) {
    throw new NoLoginFoundError(`mcp-remote has no login for ${quoteAddress(server)} in ${folder}`, {
      hint: 'Use the same address, --header and --resource as in the config of mcp-remote.',
    });
  }
  return importCredential(parts, server, found);
}
