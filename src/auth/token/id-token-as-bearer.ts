import { TokenEndpointError } from '../errors/oauth-errors.ts';
import { parseJson } from '../http/json.ts';
import type { TokenAnswer } from './token-response.ts';

/**
 * `--use-id-token`: some servers require the ID token as bearer (src/auth/README.md, "Cognito, AgentCore"). It replaces the access token from here on, with its
 * own expiry. It is not verified: the server does that.
 */
export function idTokenAsBearer(answer: TokenAnswer, now: number): TokenAnswer {
  const { idToken, expiresInSeconds } = answer;
  if (idToken === undefined) {
    throw new TokenEndpointError('the token endpoint answered without an ID token', {
      sent: 'answered',
      status: 200,
      hint: 'It requires the scope openid: add it with --scope, or leave out --use-id-token.',
    });
  }
  const ends = [expiresInSeconds, secondsLeft(idToken, now)].filter((end) => end !== undefined);
  return {
    ...answer,
    accessToken: idToken,
    ...(ends.length === 0 ? {} : { expiresInSeconds: Math.min(...ends) }),
  };
}

function secondsLeft(jwt: string, now: number): number | undefined {
  const claims = parseJson(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
  const left = typeof exp === 'number' ? Math.floor(exp - now / 1000) : Number.NaN;
  // A token that has expired by our clock may still be valid by the server's: then it is used until a 401.
  return left > 0 && Number.isSafeInteger(left) ? left : undefined;
}
