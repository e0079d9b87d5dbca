import { accountOf } from '../auth/jwt/account.ts';
import { freshness } from '../auth/refresh/expiry.ts';
import { quote } from '../protocol/quote.ts';
import type { CredentialOverview } from '../store/port/overview.ts';
import { tokenHash } from '../store/record/key.ts';
import type { CredentialRecord } from '../store/record/record.ts';
import { duration } from '../ui/duration.ts';

/** What is known of the login for these options. */
export interface LoginState {
  readonly kind: 'valid' | 'refreshable' | 'none' | 'ended' | 'unreadable';
  readonly text: string;
}

/** The state of the login with this key; if there is none, others for the same server are named. Times in milliseconds. */
export function loginState(
  overview: readonly CredentialOverview[],
  key: string,
  server: string,
  now: number,
): LoginState {
  const own = overview.find((each) => each.key === key);
  switch (own?.found.kind) {
    case 'corrupt':
      return { kind: 'unreadable', text: 'the login cannot be read; the next sign-in sets it aside' };
    case 'later-version':
      return { kind: 'unreadable', text: 'a later version of this program has written the login' };
    case 'sealed': {
      const { message, hint = '' } = own.found.error;
      return { kind: 'unreadable', text: `the login is sealed, and ${message}. ${hint}`.trim() };
    }
    case 'record':
      return recordState(own.found.record, now);
    default:
      return {
        kind: 'none',
        text: `nobody has signed in with these options${others(overview, key, server)}`,
      };
  }
}

function recordState(record: CredentialRecord, now: number): LoginState {
  const { tokens } = record;
  const account = accountOf(tokens?.idToken);
  const who = account === undefined ? 'signed in' : `signed in as ${quote(account)}`;
  if (tokens !== undefined && freshness(tokens, now) !== 'expired') {
    const left = tokens.expiresAt === undefined ? '' : `, for another ${duration(tokens.expiresAt - now)}`;
    return { kind: 'valid', text: `${who}${left}` };
  }
  if (record.grant !== undefined) return { kind: 'refreshable', text: 'the token has expired' };
  const refresh = tokens?.refreshToken;
  const canRefresh =
    refresh !== undefined &&
    record.client !== undefined &&
    tokenHash(refresh) !== record.deadRefreshTokenHash;
  return canRefresh
    ? { kind: 'refreshable', text: `${who}; the access token has expired` }
    : { kind: 'ended', text: 'the login has ended, and cannot be refreshed' };
}

/** Most often an option of the sign-in is missing. */
function others(overview: readonly CredentialOverview[], key: string, server: string): string {
  const found = overview.flatMap((each) =>
    each.key !== key && each.found.kind === 'record' && each.found.record.server === server
      ? [each.found.record]
      : [],
  );
  const [first] = found;
  if (first === undefined) return '';
  const scope = first.requestedScope === undefined ? '' : ` and --scope ${quote(first.requestedScope)}`;
  return `; there is a login with --profile ${quote(first.profile ?? 'default')}${scope}, for other options than these`;
}
