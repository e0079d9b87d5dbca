import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { credentialKey, type KeyParts } from './key.ts';

/** A part that has a place of its own in the key, or names and values beside the parameters of the authorization request. */
type Contribution = Omit<Partial<KeyParts>, 'server'>;

/** Two processes that differ in it share a login: it decides how one is come by, not what it is worth. */
const SHARED = () => ({});

/** In the list of parameters, under a name that no parameter can have (`+`), since the key has no other place for what came later. */
const named = (name: string, value = ''): Contribution => ({ authorizeParams: [[`+${name}`, value]] });

/**
 * What each setting adds to the key of its credential. The compiler asks for each setting. What stands here must not change: a login that is stored
 * under a key is found by no other.
 */
const contributions: { readonly [Name in keyof OAuthSettings]-?: (settings: OAuthSettings) => Contribution } =
  {
    profile: ({ profile }) => ({ profile }),
    grant: ({ grant }) => ({ grant }),
    scope: ({ scope }) => ({ scope }),
    resource: ({ resource }) => (resource === undefined ? {} : { resource }),
    // No URI is empty: "none" is another login than "as the metadata says".
    noResource: ({ noResource }) => (noResource ? { resource: '' } : {}),
    client: ({ client }) => ({ clientId: client?.clientId }),
    clientMetadataUrl: ({ clientMetadataUrl }) => ({ clientMetadataUrl }),
    issuer: ({ issuer }) => (issuer === undefined ? {} : named('issuer', issuer)),
    tenantIssuer: SHARED,
    assumePkce: SHARED,
    scopeOnTokenRequests: SHARED,
    audienceFromResource: ({ audienceFromResource }) => (audienceFromResource ? named('audience') : {}),
    useIdToken: ({ useIdToken }) => (useIdToken ? named('id_token') : {}),
    // A process that insists shares no login with a process that leaves it to the server. An ID token is bound to nothing anyway.
    dpop: ({ dpop, useIdToken }) => (dpop === 'auto' || useIdToken ? {} : named(`dpop=${dpop}`)),
    authorizeParams: ({ authorizeParams }) => ({ authorizeParams }),
    callback: SHARED,
  };

/** The key of the credential: two bridges share a login when they would ask for it in the same way. */
export function keyOf({ server, oauth }: { readonly server: URL; readonly oauth: OAuthSettings }): string {
  const added = Object.values(contributions).map((contribution) => contribution(oauth));
  const parts: KeyParts = Object.assign({ server }, ...added);
  return credentialKey({
    ...parts,
    authorizeParams: added.flatMap(({ authorizeParams = [] }) => authorizeParams),
  });
}
