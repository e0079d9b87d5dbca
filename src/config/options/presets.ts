import type { OAuthSettings } from '../../protocol/oauth-settings.ts';

/** Settings that a vendor needs and that its responses do not reveal; each corresponds to an option. */
export interface Preset {
  /** For `presets`: one line. */
  readonly about: string;
  /** What the preset sets; options take precedence. */
  readonly settings?: Partial<OAuthSettings>;
  readonly callbackHost?: 'localhost';
  /** The vendor does not support automatic registration, so a missing client id is reported at once instead of after an attempt. */
  readonly needsClientId?: true;
}

/** The presets by name. */
export const presets = {
  entra: {
    about:
      'Microsoft Entra ID: no resource, the scope with each token request, any tenant, a client id, redirect on localhost',
    settings: { noResource: true, scopeOnTokenRequests: true, tenantIssuer: true, assumePkce: true },
    callbackHost: 'localhost',
    needsClientId: true,
  },
  google: {
    about:
      'Google: access_type=offline and prompt=consent, without which there is no refresh token; a client id',
    settings: {
      noResource: true,
      assumePkce: true,
      authorizeParams: [
        ['access_type', 'offline'],
        ['prompt', 'consent'],
      ],
    },
    needsClientId: true,
  },
  slack: {
    about: 'Slack: redirect on localhost, a client id',
    callbackHost: 'localhost',
    needsClientId: true,
  },
  salesforce: {
    about: 'Salesforce: redirect on localhost, a client id',
    callbackHost: 'localhost',
    needsClientId: true,
  },
  github: {
    about: 'GitHub: a client id; PKCE although the metadata does not mention it',
    settings: { assumePkce: true },
    needsClientId: true,
  },
  auth0: {
    about: 'Auth0: the resource is sent as audience too',
    settings: { audienceFromResource: true },
  },
  okta: {
    about: 'Okta: a client id',
    needsClientId: true,
  },
  cognito: {
    about:
      'Amazon Cognito, AgentCore: PKCE although the metadata does not mention it, the ID token, a client id',
    settings: { assumePkce: true, noResource: true, useIdToken: true },
    needsClientId: true,
  },
} as const satisfies Record<string, Preset>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;

/** The names for `--preset`. */
export const presetNames = Object.keys(presets) as readonly PresetName[];

/** The preset with this name, or one that sets nothing. */
export function presetOf(name: string | undefined): Preset {
  return name !== undefined && Object.hasOwn(presets, name) ? presets[name as PresetName] : { about: '' };
}
