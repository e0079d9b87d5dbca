import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { SignInStatus } from './sign-in-status.ts';

/** So many browsers of sign-ins that were killed are remembered; after as many, no other is opened for a while. */
export const MAX_KILLED_BROWSERS = 3;

/** The browsers that were opened for nothing. */
export type EarlierBrowsers = Pick<SignInStatus, 'browserOpenedAt' | 'killedBrowsers'>;

/** What the next sign-in has to know of the browsers of the last one, whose status this is, and of those before it. */
export function earlierBrowsers(last: SignInStatus | undefined): EarlierBrowsers {
  if (last === undefined || last.phase === 'done') return {};
  const { browserOpenedAt, killedBrowsers } = last;
  const hasOpened = browserOpenedAt !== undefined && browserOpenedAt >= last.startedAt;
  if (!wasKilled(last) || !hasOpened) return withoutUndefined({ browserOpenedAt, killedBrowsers });
  return { killedBrowsers: [...(killedBrowsers ?? []), browserOpenedAt].slice(-MAX_KILLED_BROWSERS) };
}

/** Whether a sign-in that is over was ended from outside: a person has neither answered it nor let it lapse. */
export function wasKilled({ phase, error }: SignInStatus): boolean {
  return phase === 'starting' || phase === 'pending' || error?.code === 'aborted';
}

/** What is known of browsers that were opened for nothing is kept until a sign-in ends well. */
export function withBrowsers(status: SignInStatus, before: SignInStatus | undefined): SignInStatus {
  if (status.phase === 'done' || before === undefined) return status;
  const { browserOpenedAt, killedBrowsers } =
    before.nonce === status.nonce ? before : earlierBrowsers(before);
  return {
    ...withoutUndefined({ browserOpenedAt, killedBrowsers }),
    ...status,
  };
}
