import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { credentialKey, type KeyParts } from './key.ts';

/** A part with its own place in the key, or names and values next to the parameters of the authorization request. */
type Contribution = Omit<Partial<KeyParts>, 'server'>;

/** Two processes that differ in it share a login: it affects how a login is obtained, not what it grants. */
const SHARED = () => ({});

/** In the list of parameters, under a name that no parameter can have (`+`), since the key has no other place for later additions. */
const named = (name: string, value = ''): Contribution => ({ authorizeParams: [[`+${name}`, value]] });

/**
 * What each setting adds to the key of its credential. The compiler requires each setting. These values must not change: a login is found only under the key it
 * was stored under.
 */
const contributions: { readonly [Name in keyof OAuthSettings]-?: (settings: OAuthSettings) => Contribution } =
  {
    profile: ({ profile }) => ({ profile }),
    grant: ({ grant }) => ({ grant }),
    scope: ({ scope }) => ({ scope }),
    resource: ({ resource }) => (resource === undefined ? {} : { resource }),
    // No URI is empty: "none" is a different login from "as the metadata says".
    noResource: ({ noResource }) => (noResource ? { resource: '' } : {}),
    client: ({ client }) => ({ clientId: client?.clientId }),
    clientMetadataUrl: ({ clientMetadataUrl }) => ({ clientMetadataUrl }),
    issuer: ({ issuer }) => (issuer === undefined ? {} : named('issuer', issuer)),
    tenantIssuer: SHARED,
    assumePkce: SHARED,
    scopeOnTokenRequests: SHARED,
    audienceFromResource: ({ audienceFromResource }) => (audienceFromResource ? named('audience') : {}),
    useIdToken: ({ useIdToken }) => (useIdToken ? named('id_token') : {}),
    // With --dpop always or never the login differs from that with auto. An ID token is never bound.
    dpop: ({ dpop, useIdToken }) => (dpop === 'auto' || useIdToken ? {} : named(`dpop=${dpop}`)),
    authorizeParams: ({ authorizeParams }) => ({ authorizeParams }),
    callback: SHARED,
  };

/** The key of the credential: two bridges share a login if they would request it in the same way. */
export function keyOf({ server, oauth }: { readonly server: URL; readonly oauth: OAuthSettings }): string {
  const added = Object.values(contributions).map((contribution) => contribution(oauth));
  const parts: KeyParts = Object.assign({ server }, ...added);
  return credentialKey({
    ...parts,
    authorizeParams: added.flatMap(({ authorizeParams = [] }) => authorizeParams),
  });
}
