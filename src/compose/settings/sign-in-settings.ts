import type { SignInSettings } from '../../auth/sign-in/ensure.ts';
import type { Config } from '../../config/config.ts';
import { storePaths } from '../../store/files/paths.ts';
import { canonicalServer } from '../../store/record/key.ts';

/** The settings that a sign-in needs. */
export function signInSettings(config: Config): SignInSettings {
  // The settings of a grant without a sign-in may contain secrets that the sign-in process does not need.
  const { machineGrant, ...oauth } = config.oauth;
  return {
    ...oauth,
    server: canonicalServer(config.server),
    headers: config.headers,
    allowHttp: config.allowHttp,
    caFile: config.caFile,
    clientCertificate: config.clientCertificate,
    // The sign-in process has to find the same folder, and a pointer may change meanwhile.
    home: storePaths(config.home).home,
    authTimeoutMs: config.authTimeoutMs,
    openBrowser: config.openBrowser,
    debug: config.log.debug,
  };
}
