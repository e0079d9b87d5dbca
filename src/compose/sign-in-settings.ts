import type { SignInSettings } from '../auth/sign-in/ensure.ts';
import type { Config } from '../config/config.ts';
import { canonicalServer } from '../store/record/key.ts';

/** What of the settings a sign-in is told. */
export function signInSettings(config: Config): SignInSettings {
  // Of a grant that needs no person, which another process need not know.
  const { machineGrant, ...oauth } = config.oauth;
  return {
    ...oauth,
    server: canonicalServer(config.server),
    headers: config.headers,
    allowHttp: config.allowHttp,
    caFile: config.caFile,
    clientCertificate: config.clientCertificate,
    home: config.home,
    authTimeoutMs: config.authTimeoutMs,
    openBrowser: config.openBrowser,
    debug: config.log.debug,
  };
}
