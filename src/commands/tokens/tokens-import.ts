import { ConfigError, UsageError } from '../../errors.ts';
import { ownCommand } from '../../platform/program/program-command.ts';
import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import type { Store } from '../../store/port/store.ts';
import { canonicalServer } from '../../store/record/key.ts';
import {
  type PortableCredential,
  portableRecord,
  readPortable,
  secretsOfPortable,
} from '../../store/record/portable.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';
import { expectBound, expectResource, keepImported } from './store-imported.ts';

/** Where an imported credential is stored. */
export interface ImportTarget {
  readonly store: Store;
  readonly key: string;
}

/** What `tokens import` needs. */
export interface ImportParts {
  /** The exported credential, as JSON. */
  readonly text: string;
  /** The URL on the command line. */
  readonly server: URL | undefined;
  readonly force: boolean;
  readonly oauth: OAuthSettings;
  readonly now: number;
  readonly open: (server: URL) => Promise<ImportTarget>;
  /** Discovers the token endpoint for a refresh token that came without one. */
  readonly complete: (server: URL, credential: PortableCredential) => Promise<PortableCredential>;
}

/**
 * `tokens import`: stores a credential that was exported elsewhere. Resolves with the canonical address of its server. Rejects with
 * ConfigError for an unusable credential and with CredentialPresentError if there is a login already, unless `force` is set.
 */
export async function tokensImport(parts: ImportParts): Promise<string> {
  const read = readPortable(parts.text);
  if (read.kind === 'unusable') throw new ConfigError(`the credential cannot be used: ${read.reason}`);
  const server = parts.server ?? serverOf(read.credential);
  return importCredential(parts, server, read.credential);
}

/** Stores a credential that has been read; otherwise like `tokensImport`. */
export async function importCredential(
  { oauth, force, now, open, complete }: Omit<ImportParts, 'text' | 'server'>,
  server: URL,
  read: PortableCredential,
): Promise<string> {
  keepSecretsOf(secretsOfPortable(read));
  expectBound(read, oauth.dpop);
  expectResource(read, oauth, 'the credential');
  const { store, key } = await open(server);
  const needsEndpoint = read.refresh_token !== undefined && read.token_endpoint === undefined;
  const credential = needsEndpoint ? await complete(server, read) : read;
  const address = canonicalServer(server);
  const resource = expectResource(credential, oauth, 'the credential');
  const record = portableRecord(credential, { server: address, profile: oauth.profile, resource, now });
  await keepImported(store, key, record, { force, resource: oauth.resource });
  return address;
}

function serverOf({ server }: PortableCredential): URL {
  if (server === undefined || !URL.canParse(server)) {
    throw new UsageError('the credential does not say which server it is for', {
      hint: ownCommand('tokens', 'import', 'https://example.com/mcp', 'FILE'),
    });
  }
  return new URL(server);
}
