import type { SignInSettings } from '../auth/sign-in/ensure.ts';
import type { Config } from '../config/config.ts';
import { canonicalServer } from '../store/record/key.ts';
import { optional } from './process-parts.ts';

/** What of the settings shapes a sign-in. */
export function signInSettings(config: Config): SignInSettings {
  const { oauth, resource, scope, caFile, clientCertificate, home } = config;
  const { client, clientMetadataUrl, noResource, issuer, tenantIssuer, authorizeParams } = oauth;
  return {
    server: canonicalServer(config.server),
    profile: config.profile,
    ...optional({ resource, scope, caFile, clientCertificate, home, client, clientMetadataUrl, issuer }),
    ...(oauth.grant === 'device_code' ? { grant: oauth.grant } : {}),
    noResource,
    tenantIssuer,
    useIdToken: oauth.useIdToken,
    dpop: oauth.dpop,
    authorizeParams,
    scopeOnTokenRequests: oauth.scopeOnTokenRequests,
    audienceFromResource: oauth.audienceFromResource,
    ...(config.headers.length === 0 ? {} : { headers: config.headers }),
    allowHttp: config.allowHttp,
    assumePkce: config.assumePkce,
    authTimeoutMs: config.authTimeoutMs,
    callback: config.callback,
    openBrowser: config.openBrowser,
    debug: config.log.debug,
  };
}
