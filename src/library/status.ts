import { statusOf } from '../commands/status.ts';
import { withoutSecretsIn } from '../redaction/own-words.ts';
import { admitResource } from '../redaction/query-secrets.ts';
import { canonicalServer } from '../store/record/key.ts';
import { keepSecretsOf } from '../store/record/secrets.ts';
import type { LoginStatus } from './interface/login-interface.ts';
import type { LoginParts } from './open.ts';

/** The stored state of this login, and the sign-in under way. */
export async function loginStatus({ config, key, platform, shared }: LoginParts): Promise<LoginStatus> {
  const { server, oauth } = config;
  const now = platform.clock.now();
  const identity = { server: canonicalServer(server), resource: oauth.resource };
  const [found, holder, status] = await Promise.all([
    shared.store.read(key, identity),
    shared.leases.holder(key, now),
    shared.leases.readStatus(key),
  ]);
  if (found.kind === 'record') keepSecretsOf(found.record);
  const signIn = holder !== undefined && status?.nonce === holder ? status : undefined;
  if (signIn?.address !== undefined) admitResource(signIn.address);
  const [shown] = statusOf(
    [{ key, found: found.kind === 'corrupt' ? { kind: 'corrupt' } : found, signIn }],
    now,
    {},
  );
  const { lock: _, ...rest } = withoutSecretsIn(shown) as NonNullable<typeof shown>;
  return {
    ...rest,
    server: server.href,
    profile: oauth.profile,
    ...(config.staticAuthorization ? { state: 'signed in' } : {}),
  };
}
