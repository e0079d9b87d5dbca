import { extractWWWAuthenticateParams as readBySdk2 } from '@modelcontextprotocol/client';
import { extractWWWAuthenticateParams as readBySdk1 } from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';
import { bearerChallenge } from '../../../src/protocol/www-authenticate.ts';
import type { ChallengeCase, Library, Outcome } from './case.ts';

/** What of a challenge is acted on; an address that is none is not asked. */
function values(metadata: string | undefined, scope: string | undefined, error: string | undefined): Outcome {
  const resource_metadata =
    metadata !== undefined && URL.canParse(metadata) ? new URL(metadata).href : undefined;
  return {
    kind: 'accepted',
    values: { resource_metadata, scope: scope || undefined, error: error || undefined },
  };
}

export function ourReading({ header }: ChallengeCase): Outcome {
  const { resourceMetadata, scope, error } = bearerChallenge(header);
  return values(resourceMetadata, scope, error);
}

const answer = (header: string) =>
  new Response(null, { status: 401, headers: { 'www-authenticate': header } });

const bySdk =
  (read: typeof readBySdk2 | typeof readBySdk1) =>
  async ({ header }: ChallengeCase): Promise<Outcome> => {
    const { resourceMetadataUrl, scope, error } = read(answer(header));
    return values(resourceMetadataUrl?.href, scope, error);
  };

/** It gives all challenges, and leaves the choice to the application: the first that a bearer token answers. */
async function byStrict({ header }: ChallengeCase): Promise<Outcome> {
  const options = { [oauth.customFetch]: async () => answer(header) };
  try {
    await oauth.protectedResourceRequest(
      'a',
      'GET',
      new URL('https://mcp.example/'),
      undefined,
      undefined,
      options,
    );
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    const parameters = error.cause.find(({ scheme }) => scheme === 'bearer' || scheme === 'dpop')?.parameters;
    return values(parameters?.resource_metadata, parameters?.scope, parameters?.error);
  }
  return { kind: 'refused', why: 'not a challenge' };
}

export const READERS: Readonly<Record<Library, (given: ChallengeCase) => Promise<Outcome>>> = {
  'sdk 1': bySdk(readBySdk1),
  'sdk 2': bySdk(readBySdk2),
  oauth4webapi: byStrict,
};
