import { accountOf } from '../auth/jwt/account.ts';
import { freshness } from '../auth/refresh/expiry.ts';
import { plainText, shownAddress } from '../protocol/quote.ts';
import type { CredentialOverview } from '../store/port/overview.ts';
import { tokenHash } from '../store/record/key.ts';
import type { CredentialRecord } from '../store/record/record.ts';
import { duration } from '../ui/duration.ts';
import { table } from '../ui/table.ts';

/** One credential as `status --json` shows it, without tokens or other secrets. Times are in milliseconds since the epoch. */
export interface CredentialStatus {
  readonly server: string;
  readonly profile: string;
  readonly state:
    | 'signed in'
    | 'expired, refreshable'
    | 'expired, renewable'
    | 'sign-in needed'
    | 'unreadable'
    | 'of a later version'
    | 'moved'
    | 'half moved'
    /** The keychain with its key is unavailable, or the key of the shared store is not available. */
    | 'sealed';
  /** In a shared store: the id of the key under which it is sealed, and whether that is the first one. */
  readonly sealedUnder?: { readonly keyId: string; readonly isFirst: boolean } | undefined;
  /** The store that it was moved to. */
  readonly store?: string | undefined;
  /** `--grant`, if it is one that involves no person. */
  readonly grant?: string | undefined;
  readonly account?: string | undefined;
  readonly issuer?: string | undefined;
  readonly scope?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly refreshable: boolean;
  readonly lastRefresh?: { readonly at: number; readonly outcome: string } | undefined;
  readonly signIn?:
    | {
        readonly pid: number;
        /** The machine of that process. */
        readonly host?: string | undefined;
        readonly deadline: number;
        readonly address?: string | undefined;
        /** The code to enter at `address`, or at `codeAddress` if `address` already contains the code. */
        readonly userCode?: string | undefined;
        readonly codeAddress?: string | undefined;
      }
    | undefined;
  readonly lock?: { readonly pid?: number; readonly host?: string; readonly heldForMs: number } | undefined;
}

/** Which credentials `status` shows; without a property, all. */
export interface StatusFilter {
  /** The canonical address. */
  readonly server?: string | undefined;
  readonly profile?: string | undefined;
}

/** The credentials as `status` shows them, filtered and sorted by server and profile. `now`: milliseconds since the epoch. */
export function statusOf(overviews: readonly CredentialOverview[], now: number, filter: StatusFilter) {
  const { server, profile } = filter;
  return overviews
    .map((overview) => one(overview, now))
    .filter((each) => server === undefined || each.server === server)
    .filter((each) => profile === undefined || each.profile === profile)
    .sort((a, b) => compare(a.server, b.server) || compare(a.profile, b.profile))
    .map((each) => ({ ...each, server: shownAddress(each.server) }));
}

function one({ found, signIn, lock, sealing }: CredentialOverview, now: number): CredentialStatus {
  const record = found.kind === 'record' ? found.record : undefined;
  const note = found.kind === 'moved' ? found.note : undefined;
  const moved = found.kind !== 'moved' ? undefined : found.isUnfinished ? 'half moved' : 'moved';
  const tokens = record?.tokens;
  const account = accountOf(tokens?.idToken);
  const refreshable = record !== undefined && isRefreshable(record);
  const scope = tokens?.scope ?? record?.requestedScope;
  return {
    server: record?.server ?? signIn?.server ?? note?.server ?? '?',
    profile: record?.profile ?? signIn?.profile ?? note?.profile ?? 'default',
    state: moved ?? UNREAD.get(found.kind) ?? stateOf(record, refreshable, now),
    store: found.kind === 'moved' ? found.note.to : undefined,
    grant: record?.grant,
    account,
    issuer: record?.issuer,
    scope,
    expiresAt: tokens?.expiresAt,
    refreshable,
    lastRefresh: record?.lastRefresh && {
      at: record.lastRefresh.at,
      outcome: record.lastRefresh.outcome,
    },
    signIn: signIn && {
      pid: signIn.pid,
      host: signIn.host,
      deadline: signIn.deadline,
      address: signIn.address,
      userCode: signIn.userCode,
      codeAddress: signIn.codeAddress,
    },
    lock,
    sealedUnder: sealing,
  };
}

/** The states of records that this version cannot read. */
const UNREAD = new Map<CredentialOverview['found']['kind'], CredentialStatus['state']>([
  ['corrupt', 'unreadable'],
  ['later-version', 'of a later version'],
  ['sealed', 'sealed'],
]);

function stateOf(
  record: CredentialRecord | undefined,
  refreshable: boolean,
  now: number,
): CredentialStatus['state'] {
  if (record?.tokens !== undefined && freshness(record.tokens, now) !== 'expired') return 'signed in';
  // With such a grant the program gets a new token without a person.
  if (record?.grant !== undefined) return 'expired, renewable';
  return refreshable ? 'expired, refreshable' : 'sign-in needed';
}

function isRefreshable({ tokens, client, deadRefreshTokenHash }: CredentialRecord): boolean {
  if (tokens?.refreshToken === undefined || client === undefined) return false;
  return tokenHash(tokens.refreshToken) !== deadRefreshTokenHash;
}

const HEADINGS = [
  'SERVER',
  'PROFILE',
  'STATE',
  'GRANT',
  'ACCOUNT',
  'SCOPES',
  'EXPIRES IN',
  'REFRESHABLE',
  'LAST REFRESH',
  'LOCKED BY',
  'SIGN-IN',
];

/** The table that `status` prints. The address of a pending sign-in follows it in full, so that it can be copied. */
export function statusTable(statuses: readonly CredentialStatus[], now: number): string {
  if (statuses.length === 0) return 'No login.\n';
  const isSealed = statuses.some(({ sealedUnder }) => sealedUnder !== undefined);
  const rows = statuses.map(({ expiresAt, lastRefresh, lock, signIn, sealedUnder, ...status }) => [
    plainText(status.server),
    status.profile,
    status.state,
    plainText(status.grant ?? ''),
    status.account ?? '',
    plainText(status.scope ?? ''),
    expiresAt === undefined ? '' : expiresAt <= now ? 'expired' : duration(expiresAt - now),
    status.refreshable ? 'yes' : 'no',
    lastRefresh === undefined
      ? ''
      : `${duration(now - lastRefresh.at)} ago, ${plainText(lastRefresh.outcome)}`,
    lock === undefined
      ? ''
      : `${lock.pid === undefined ? 'a process' : `process ${lock.pid}`}${at(lock.host)}`,
    signIn === undefined
      ? ''
      : `process ${signIn.pid}${at(signIn.host)}, ${duration(signIn.deadline - now)} left`,
    ...(isSealed
      ? [
          sealedUnder === undefined
            ? ''
            : `${sealedUnder.keyId}${sealedUnder.isFirst ? '' : ', not the first'}`,
        ]
      : []),
  ]);
  const addresses = statuses.flatMap(({ server, signIn }) =>
    signIn?.address === undefined ? [] : [howTo(server, { ...signIn, address: signIn.address })],
  );
  return [table(isSealed ? [...HEADINGS, 'KEY'] : HEADINGS, rows), ...addresses].join('\n');
}

function howTo(
  server: string,
  { address, userCode, codeAddress }: NonNullable<CredentialStatus['signIn']> & { readonly address: string },
): string {
  const code = userCode === undefined ? '' : `and enter the code: ${plainText(userCode)}\n`;
  return `To sign in to ${plainText(server)}, open:\n${codeAddress ?? address}\n${code}`;
}

function at(host: string | undefined): string {
  return host === undefined ? '' : ` at ${plainText(host)}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
