import { resolve } from 'node:path';
import { ConfigError, describeError, UsageError } from '../errors.ts';
import type { MachineGrant } from '../protocol/oauth-settings.ts';
import { quote } from '../protocol/quote.ts';
import { presetOf } from './options/presets.ts';
import type { Environment } from './sources/environment.ts';
import type { Settings } from './sources/settings.ts';

export type Grant = 'authorization_code' | 'device_code' | MachineGrant['kind'];

/** Who signs in, how, and with what on top of what the specification says. */
export interface ClientConfig {
  readonly grant: Grant;
  readonly machineGrant?: MachineGrant;
  readonly client?: {
    readonly clientId: string;
    readonly clientSecret?: string;
    /** The text of `--client-key`. */
    readonly signingKey?: string;
    readonly signingAlg?: string;
  };
  readonly clientMetadataUrl?: string;
  readonly noResource: boolean;
  /** `--issuer`, byte for byte. */
  readonly issuer?: string;
  readonly tenantIssuer: boolean;
  readonly scopeOnTokenRequests: boolean;
  readonly audienceFromResource: boolean;
  readonly useIdToken: boolean;
  readonly dpop: 'auto' | 'always' | 'never';
  readonly authorizeParams: readonly (readonly [name: string, value: string])[];
}

export interface ClientConfigTools {
  readonly environment: Environment;
  readonly readFile: (path: string) => string;
}

/** Throws UsageError or ConfigError where options do not fit together. */
export function readClientConfig(
  settings: Settings,
  authorizeParams: ClientConfig['authorizeParams'],
  tools: ClientConfigTools,
): ClientConfig {
  const preset = presetOf(settings.preset);
  const grant = (settings.grant ?? 'authorization_code') as Grant;
  const machineGrant = readMachineGrant(grant, settings, tools);
  const client = readClient(settings, tools);
  const clientMetadataUrl = settings['client-metadata-url'];
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
  if (client === undefined && preset.needsClientId === true && machineGrant === undefined) {
    throw new UsageError(
      `--preset ${settings.preset} needs --client-id: nobody can register there by program`,
      {
        hint: 'ask whoever runs it for a client of a native (desktop) application, and name its id',
      },
    );
  }
  if (settings['client-id'] !== undefined && clientMetadataUrl !== undefined) {
    throw new UsageError('--client-id and --client-metadata-url exclude each other');
  }
  const noResource = settings['no-resource'] ?? preset.noResource ?? false;
  if (noResource && settings.resource !== undefined && settings['no-resource'] === true) {
    throw new UsageError('--resource and --no-resource exclude each other');
  }
  const useIdToken = settings['use-id-token'] ?? preset.useIdToken ?? false;
  const dpop = settings.dpop ?? 'auto';
  if (useIdToken && dpop === 'always') {
    throw new UsageError('--dpop always and an ID token (--use-id-token) exclude each other');
  }
  const given = new Set(authorizeParams.map(([name]) => name));
  return {
    grant,
    ...(machineGrant === undefined ? {} : { machineGrant }),
    ...(client === undefined ? {} : { client }),
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    noResource: noResource && settings.resource === undefined,
    ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
    tenantIssuer: preset.tenantIssuer ?? false,
    scopeOnTokenRequests: preset.scopeOnTokenRequests ?? false,
    audienceFromResource: preset.audienceFromResource === true && !given.has('audience'),
    useIdToken,
    // An ID token is bound to nothing.
    dpop: useIdToken ? 'never' : dpop,
    authorizeParams: [
      ...(preset.authorizeParams ?? []).filter(([name]) => !given.has(name)),
      ...authorizeParams,
    ],
  };
}

function readClient(settings: Settings, tools: ClientConfigTools): ClientConfig['client'] {
  const clientSecret = readSecret('client', settings, tools);
  const keyFile = settings['client-key'];
  // A document that names a key is a client like one that was registered by hand.
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
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(keyFile === undefined ? {} : { signingKey: readText('--client-key', keyFile, tools) }),
    ...(signingAlg === undefined ? {} : { signingAlg: signingAlg as string }),
  };
}

function readSecret(
  whose: 'client' | 'idp-client',
  settings: Settings,
  tools: ClientConfigTools,
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
    const value = tools.environment[variable];
    if (value === undefined || value === '') {
      throw new ConfigError(`--${whose}-secret-env: the environment variable ${quote(variable)} is not set`);
    }
    return usableSecret(value, `the environment variable ${quote(variable)}`);
  }
  if (file === undefined) return undefined;
  return usableSecret(readText(`--${whose}-secret-file`, file, tools), quote(file));
}

/** A final line break is the editor's. */
function usableSecret(text: string, place: string): string {
  const secret = text.replace(/\r?\n$/, '');
  if (/^[\x20-\x7e]{1,4096}$/.test(secret)) return secret;
  throw new ConfigError(`${place}: expected one line of printable ASCII with the client secret`);
}

function readText(place: string, file: string, { readFile }: ClientConfigTools): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new ConfigError(`${place}: ${quote(file)} cannot be read: ${describeError(error)}`);
  }
}

function readMachineGrant(
  grant: Grant,
  settings: Settings,
  tools: ClientConfigTools,
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
      const idpClientSecret = readSecret('idp-client', settings, tools);
      if (idTokenFile === undefined) throw needs('--grant enterprise', '--id-token-file');
      if (idpClientId === undefined) throw needs('--grant enterprise', '--idp-client-id');
      if (idpTokenEndpoint === undefined) throw needs('--grant enterprise', '--idp-token-endpoint');
      return {
        kind: grant,
        idTokenFile: resolve(idTokenFile),
        idpClientId,
        idpTokenEndpoint,
        ...(idpClientSecret === undefined ? {} : { idpClientSecret }),
        ...(idpKeyFile === undefined
          ? {}
          : { idpSigningKey: readText('--idp-client-key', idpKeyFile, tools) }),
      };
    }
  }
}

function needs(what: string, missing: string): UsageError {
  return new UsageError(`${what} needs ${missing}`, { hint: 'see --help' });
}
