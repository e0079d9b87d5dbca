import type { Authorization } from '../auth/authorization.ts';
import { isSignedIn } from '../auth/credential/stale-token.ts';
import { freshness } from '../auth/refresh/expiry.ts';
import { challengeOf } from '../compose/server-challenge.ts';
import { abortable } from '../platform/abortable.ts';
import { silentLogger } from '../platform/log/logger.ts';
import { canonicalServer } from '../store/record/key.ts';
import { tell } from './fetch/tokens.ts';
import type { SignInPrompt } from './interface/login-options.ts';
import type { LoginParts } from './open.ts';

/** The stored access token; undefined if there is none, or it has expired. */
export async function storedToken({
  config,
  key,
  platform,
  shared,
}: Pick<LoginParts, 'config' | 'key' | 'platform' | 'shared'>): Promise<string | undefined> {
  const identity = { server: canonicalServer(config.server), resource: config.oauth.resource };
  const found = await shared.store.read(key, identity);
  if (found.kind !== 'record' || !isSignedIn(found.record)) return undefined;
  const { tokens } = found.record;
  return freshness(tokens, platform.clock.now()) === 'expired' ? undefined : tokens.accessToken;
}

/** Resolves once there is a token: the stored one, a refreshed one, or one from a sign-in. */
export async function signInWith(
  authorization: Authorization,
  parts: LoginParts,
  onPrompt: (prompt: SignInPrompt) => unknown,
  signal: AbortSignal,
): Promise<void> {
  const { config, platform } = parts;
  if (config.staticAuthorization) return;
  // Replaces an expired token.
  await authorization.current(signal);
  if ((await storedToken(parts)) !== undefined) return;
  const challenge = await challengeOf(config, platform, silentLogger, signal);
  const recovery = await authorization.recover(undefined, challenge, signal);
  if (recovery.kind === 'retry') return;
  const { signIn } = recovery;
  await abortable(Promise.race([signIn.done, tell(signIn, onPrompt)]), signal);
}
