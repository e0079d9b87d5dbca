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

/** Resolves once there is a token: the stored one, a refreshed one, or what a person signs in for. */
export async function signInWith(
  authorization: Authorization,
  { config, key, platform, shared }: LoginParts,
  onPrompt: (prompt: SignInPrompt) => void,
  signal: AbortSignal,
): Promise<void> {
  const { server, oauth, staticAuthorization } = config;
  if (staticAuthorization) return;
  // Replaces a token at its end.
  await authorization.current(signal);
  const identity = { server: canonicalServer(server), resource: oauth.resource };
  const found = await shared.store.read(key, identity);
  const record = found.kind === 'record' && isSignedIn(found.record) ? found.record : undefined;
  if (record !== undefined && freshness(record.tokens, platform.clock.now()) !== 'expired') return;
  const challenge = await challengeOf(config, platform, silentLogger, signal);
  const recovery = await authorization.recover(undefined, challenge, signal);
  if (recovery.kind === 'retry') return;
  tell(recovery.signIn, onPrompt);
  await abortable(recovery.signIn.done, signal);
}
