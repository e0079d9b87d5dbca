import type { OAuthSettings } from '../../protocol/oauth-settings.ts';

/** What one vendor needs that the shape of its answers cannot tell (each an option of the same meaning). */
export interface Preset {
  /** For `presets`: one line. */
  readonly about: string;
  /** What it sets, unless the options say otherwise. */
  readonly settings?: Partial<OAuthSettings>;
  readonly callbackHost?: 'localhost';
  /** Nobody is registered there: said at once, instead of after a try. */
  readonly needsClientId?: true;
}

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
    about: 'Auth0: the resource goes out as audience as well',
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

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

export function presetOf(name: string | undefined): Preset {
  return name !== undefined && Object.hasOwn(presets, name) ? presets[name as PresetName] : { about: '' };
}
