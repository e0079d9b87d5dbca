import { DrawbridgeError, describeError } from '../../errors.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { quoteAddress } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import { earlierBrowsers, MAX_KILLED_BROWSERS } from '../../store/lease/earlier-browsers.ts';
import type { SignInStatus } from '../../store/lease/lease.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { SignInNeededError } from '../errors/errors.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { type FollowSignInDeps, type LeaseOutcome, SignInFollower } from './follow.ts';

/** The parts of a request that do not change from one sign-in to the next. */
export type SignInSettings = Omit<SignInRequest, 'key' | 'nonce' | 'challenge'>;

/** Resolves once the sign-in runs; its progress is in its status. Rejects if it cannot be started. */
export type LaunchSignIn = (request: SignInRequest) => Promise<void>;

export interface EnsureSignInDeps extends FollowSignInDeps {
  readonly settings: SignInSettings;
  readonly launch: LaunchSignIn;
  /** No sign-in can be started here: what a person can do elsewhere. */
  readonly nonInteractiveReason?: { readonly hint: string } | undefined;
}

export type Asked =
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus };

/** A person who has not answered the last tab does not want another one for each request of a host. */
const BROWSER_PAUSE_MS = 10 * 60_000;
/** A sign-in ends itself at its deadline; the lease allows it time to start and to clean up. */
export const LEASE_EXTRA_MS = 60_000;

/** The sign-in of this credential: the one under way in any process that shares the store, else a new one. Rejects if none can be started. */
export async function ensureSignIn(
  deps: EnsureSignInDeps,
  challenge: BearerChallenge | undefined,
  signal: AbortSignal,
): Promise<Asked> {
  if (deps.nonInteractiveReason !== undefined)
    return followOrRefuse(deps, deps.nonInteractiveReason.hint, signal);
  const started = await start(deps, challenge);
  if (started.kind === 'usable') return started;
  // The sign-in under way may be about to end with the token that was just refused: then another one is needed.
  const startAnother = started.kind === 'held' ? () => start(deps, challenge) : undefined;
  return { kind: 'sign-in', signIn: new SignInFollower(deps, started.nonce, signal, startAnother) };
}

async function start(deps: EnsureSignInDeps, challenge: BearerChallenge | undefined): Promise<LeaseOutcome> {
  const { leases, key, clock, settings, launch } = deps;
  const now = clock.now();
  const lease = await leases.create(key, now, settings.authTimeoutMs + LEASE_EXTRA_MS);
  if (lease.kind === 'held') return { kind: 'held', nonce: lease.nonce };
  const { nonce } = lease;
  try {
    // Another sign-in may have succeeded since the record was last read: then no second tab.
    const record = await deps.usable();
    if (record !== undefined) {
      await leases.release(key, nonce);
      return { kind: 'usable', record };
    }
    const openBrowser = settings.openBrowser && !isBrowserPause(await leases.readStatus(key), now);
    await launch({ ...settings, openBrowser, key, nonce, challenge: challenge ?? {} });
  } catch (error) {
    await leases.writeStatus(key, failedStatus(error, nonce, now));
    await leases.release(key, nonce);
    throw error;
  }
  return { kind: 'started', nonce };
}

/** No sign-in can be started here: waits for one of another process that shares the store, and starts none. */
async function followOrRefuse(deps: EnsureSignInDeps, hint: string, signal: AbortSignal): Promise<Asked> {
  const { leases, key, clock, settings, usable } = deps;
  const nonce = await leases.holder(key, clock.now());
  if (nonce !== undefined) return { kind: 'sign-in', signIn: new SignInFollower(deps, nonce, signal) };
  const record = await usable();
  if (record !== undefined) return { kind: 'usable', record };
  throw signInNeeded(settings.server, hint);
}

export function signInNeeded(server: string, hint: string): SignInNeededError {
  return new SignInNeededError(
    `a sign-in to ${quoteAddress(server)} is needed, but it is not possible here`,
    {
      hint,
    },
  );
}

/**
 * True after a sign-in that opened a browser and was declined or timed out, and after several whose process was killed: then no other tab opens, but the
 * address is still offered. `last` is the status of the last sign-in, which is over.
 */
export function isBrowserPause(last: SignInStatus | undefined, now: number): boolean {
  const { browserOpenedAt, killedBrowsers = [] } = earlierBrowsers(last);
  const isRecent = (at: number) => Math.abs(now - at) < BROWSER_PAUSE_MS;
  if (browserOpenedAt !== undefined && isRecent(browserOpenedAt)) return true;
  return killedBrowsers.filter(isRecent).length >= MAX_KILLED_BROWSERS;
}

function failedStatus(error: unknown, nonce: string, now: number): SignInStatus {
  const code = error instanceof DrawbridgeError ? error.code : 'internal';
  return {
    phase: 'failed',
    nonce,
    pid: process.pid,
    startedAt: now,
    deadline: now,
    error: { code, message: describeError(error) },
  };
}
