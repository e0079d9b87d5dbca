import { resolve } from 'node:path';
import { ConfigError, describeError, UsageError } from '../errors.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import type { ConfiguredClient, MachineGrant, OAuthSettings } from '../protocol/oauth-settings.ts';
import { quote } from '../protocol/quote.ts';
import { presetOf } from './options/presets.ts';
import type { Environment } from './sources/environment.ts';
import type { Settings } from './sources/settings.ts';

/** The OAuth settings, including those that only this process needs. */
export interface OAuthConfig extends OAuthSettings {
  /** The settings of `grant`, if it is one that needs no person. */
  readonly machineGrant?: MachineGrant | undefined;
}

/** What `readOAuthConfig` reads from. */
export interface OAuthConfigDeps {
  readonly environment: Environment;
  readonly readFile: (path: string) => string;
}

/** The OAuth settings without any option. */
export const oauthDefaults: OAuthSettings = {
  profile: 'default',
  grant: 'authorization_code',
  noResource: false,
  tenantIssuer: false,
  assumePkce: false,
  scopeOnTokenRequests: false,
  audienceFromResource: false,
  useIdToken: false,
  dpop: 'auto',
  authorizeParams: [],
  // The host that redirect allow-lists contain most often (src/auth/README.md, "Azure, Atlassian").
  callback: { host: '127.0.0.1', path: '/callback' },
};

/** Combines the options with the preset and the defaults, in this order of precedence. Throws UsageError or ConfigError if options conflict. */
export function readOAuthConfig(
  settings: Settings,
  authorizeParams: OAuthSettings['authorizeParams'],
  deps: OAuthConfigDeps,
): OAuthConfig {
  const preset = presetOf(settings.preset);
  const given = {
    ...oauthDefaults,
    ...preset.settings,
    ...withoutUndefined({
      profile: settings.profile,
      grant: settings.grant,
      scope: settings.scope,
      resource: settings.resource,
      noResource: settings['no-resource'],
      clientMetadataUrl: settings['client-metadata-url'],
      issuer: settings.issuer,
      assumePkce: settings['assume-pkce'],
      useIdToken: settings['use-id-token'],
      dpop: settings.dpop,
    }),
  };
  const machineGrant = readMachineGrant(given.grant, settings, deps);
  const client = readClient(settings, deps);
  checkClient(given, client, settings);
  if (settings.resource !== undefined && settings['no-resource'] === true) {
    throw new UsageError('--resource and --no-resource exclude each other');
  }
  if (given.useIdToken && given.dpop === 'always') {
    throw new UsageError('--dpop always and an ID token (--use-id-token) exclude each other');
  }
  const names = new Set(authorizeParams.map(([name]) => name));
  return {
    ...given,
    client,
    machineGrant,
    // A resource that the user gave takes precedence over the preset's `noResource`.
    noResource: given.noResource && given.resource === undefined,
    audienceFromResource: given.audienceFromResource && !names.has('audience'),
    // An ID token is not bound to a key.
    dpop: given.useIdToken ? 'never' : given.dpop,
    authorizeParams: [...given.authorizeParams.filter(([name]) => !names.has(name)), ...authorizeParams],
    callback: {
      host: settings['callback-host'] ?? preset.callbackHost ?? oauthDefaults.callback.host,
      port: settings['callback-port'],
      path: settings['callback-path'] ?? oauthDefaults.callback.path,
    },
  };
}

function checkClient(
  { grant }: OAuthSettings,
  client: ConfiguredClient | undefined,
  settings: Settings,
): void {
  if (client === undefined && (grant === 'client_credentials' || grant === 'enterprise')) {
    throw needs(`--grant ${grant}`, '--client-id');
  }
  if (
    grant === 'client_credentials' &&
    client?.clientSecret === undefined &&
    client?.signingKey === undefined
  ) {
    throw needs('--grant client_credentials', '--client-secret-env, --client-secret-file or --client-key');
  }
  const isPerson = grant === 'authorization_code' || grant === 'device_code';
  if (client === undefined && isPerson && presetOf(settings.preset).needsClientId === true) {
    throw new UsageError(
      `--preset ${settings.preset} needs --client-id: the vendor does not support automatic registration`,
      {
        hint: 'ask the administrator for a client of a native (desktop) application, and pass its id',
      },
    );
  }
  if (settings['client-id'] !== undefined && settings['client-metadata-url'] !== undefined) {
    throw new UsageError('--client-id and --client-metadata-url exclude each other');
  }
}

function readClient(settings: Settings, deps: OAuthConfigDeps): ConfiguredClient | undefined {
  const clientSecret = readSecret('client', settings, deps);
  const keyFile = settings['client-key'];
  // With a key, a client metadata document is used like a manually registered client.
  const clientId = settings['client-id'] ?? (keyFile && settings['client-metadata-url']);
  if (settings['client-id'] === undefined && clientSecret !== undefined) {
    throw needs('a client secret', '--client-id');
  }
  const signingAlg = settings['client-key-alg'];
  if (clientId === undefined) {
    if (keyFile !== undefined) throw needs('--client-key', '--client-id or --client-metadata-url');
    return undefined;
  }
  if (signingAlg !== undefined && keyFile === undefined) throw needs('--client-key-alg', '--client-key');
  return {
    clientId,
    clientSecret,
    signingKey: keyFile && readText('--client-key', keyFile, deps),
    signingAlg,
  };
}

function readSecret(
  whose: 'client' | 'idp-client',
  settings: Settings,
  deps: OAuthConfigDeps,
): string | undefined {
  const literal = whose === 'client' ? settings['client-secret'] : undefined;
  const variable = settings[`${whose}-secret-env`];
  const file = settings[`${whose}-secret-file`];
  if ([literal, variable, file].filter((each) => each !== undefined).length > 1) {
    const ways = [`--${whose}-secret-env`, `--${whose}-secret-file`];
    throw new UsageError(
      `the ${whose === 'client' ? 'client' : "identity provider's client"} secret was given twice`,
      {
        hint: `use one of ${[...ways, ...(whose === 'client' ? ['--client-secret'] : [])].join(', ')}`,
      },
    );
  }
  if (literal !== undefined) return literal;
  if (variable !== undefined) {
    const value = deps.environment[variable];
    if (value === undefined || value === '') {
      throw new ConfigError(`--${whose}-secret-env: the environment variable ${quote(variable)} is not set`);
    }
    return usableSecret(value, `the environment variable ${quote(variable)}`);
  }
  if (file === undefined) return undefined;
  return usableSecret(readText(`--${whose}-secret-file`, file, deps), quote(file));
}

/** Removes the final line break that editors add. Throws ConfigError for a text that is not a secret. */
function usableSecret(text: string, place: string): string {
  const secret = text.replace(/\r?\n$/, '');
  if (/^[\x20-\x7e]{1,4096}$/.test(secret)) return secret;
  throw new ConfigError(`${place}: expected one line of printable ASCII with the client secret`);
}

function readText(place: string, file: string, { readFile }: OAuthConfigDeps): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new ConfigError(`${place}: ${quote(file)} cannot be read: ${describeError(error)}`);
  }
}

function readMachineGrant(
  grant: OAuthSettings['grant'],
  settings: Settings,
  deps: OAuthConfigDeps,
): MachineGrant | undefined {
  const assertionFile = settings['assertion-file'];
  const idTokenFile = settings['id-token-file'];
  const idpClientId = settings['idp-client-id'];
  const idpTokenEndpoint = settings['idp-token-endpoint'];
  if (grant !== 'jwt-bearer' && assertionFile !== undefined)
    throw needs('--assertion-file', '--grant jwt-bearer');
  const idpSecret = settings['idp-client-secret-env'] ?? settings['idp-client-secret-file'];
  const idpKeyFile = settings['idp-client-key'];
  const ofIdp = idTokenFile ?? idpClientId ?? idpSecret ?? idpKeyFile ?? idpTokenEndpoint;
  if (grant !== 'enterprise' && ofIdp !== undefined) {
    throw needs('--id-token-file, --idp-client-id and --idp-token-endpoint', '--grant enterprise');
  }
  switch (grant) {
    case 'authorization_code':
    case 'device_code':
      return undefined;
    case 'client_credentials':
      return { kind: grant };
    case 'jwt-bearer':
      if (assertionFile === undefined) throw needs('--grant jwt-bearer', '--assertion-file');
      return { kind: grant, assertionFile: resolve(assertionFile) };
    case 'enterprise': {
      const idpClientSecret = readSecret('idp-client', settings, deps);
      if (idTokenFile === undefined) throw needs('--grant enterprise', '--id-token-file');
      if (idpClientId === undefined) throw needs('--grant enterprise', '--idp-client-id');
      if (idpTokenEndpoint === undefined) throw needs('--grant enterprise', '--idp-token-endpoint');
      return {
        kind: grant,
        idTokenFile: resolve(idTokenFile),
        idpClientId,
        idpTokenEndpoint,
        idpClientSecret,
        idpSigningKey: idpKeyFile && readText('--idp-client-key', idpKeyFile, deps),
      };
    }
  }
}

function needs(what: string, missing: string): UsageError {
  return new UsageError(`${what} needs ${missing}`, { hint: 'see --help' });
}
