import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { SignInStatus } from './sign-in-status.ts';

/** This many browsers of killed sign-ins are remembered; after as many, no other is opened for a while. */
export const MAX_KILLED_BROWSERS = 3;

/** The browsers that were opened without a result. */
export type EarlierBrowsers = Pick<SignInStatus, 'browserOpenedAt' | 'killedBrowsers'>;

/** What the next sign-in has to know about the browsers of the last one, whose status this is, and of those before it. */
export function earlierBrowsers(last: SignInStatus | undefined): EarlierBrowsers {
  if (last === undefined || last.phase === 'done') return {};
  const { browserOpenedAt, killedBrowsers } = last;
  const hasOpened = browserOpenedAt !== undefined && browserOpenedAt >= last.startedAt;
  if (!wasKilled(last) || !hasOpened) return withoutUndefined({ browserOpenedAt, killedBrowsers });
  return { killedBrowsers: [...(killedBrowsers ?? []), browserOpenedAt].slice(-MAX_KILLED_BROWSERS) };
}

/** Whether a finished sign-in was ended from outside: nobody answered it, and it did not time out either. */
export function wasKilled({ phase, error }: SignInStatus): boolean {
  return phase === 'starting' || phase === 'pending' || error?.code === 'aborted';
}

/** Browsers that were opened without a result are remembered until a sign-in succeeds. */
export function withBrowsers(status: SignInStatus, before: SignInStatus | undefined): SignInStatus {
  if (status.phase === 'done' || before === undefined) return status;
  const { browserOpenedAt, killedBrowsers } =
    before.nonce === status.nonce ? before : earlierBrowsers(before);
  return {
    ...withoutUndefined({ browserOpenedAt, killedBrowsers }),
    ...status,
  };
}
