import { DrawbridgeError, describeError } from '../../errors.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { quoteAddress } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { SignInStatus } from '../../store/lease/lease.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { SignInNeededError } from '../errors/errors.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { type FollowSignInDeps, type LeaseOutcome, SignInFollower } from './follow.ts';

/** The parts of a request that do not change from one sign-in to the next. */
export type SignInSettings = Omit<SignInRequest, 'key' | 'nonce' | 'challenge'>;

/** Resolves once the sign-in runs; how it goes is read from its face. Rejects where it cannot be started. */
export type LaunchSignIn = (request: SignInRequest) => Promise<void>;

export interface EnsureSignInDeps extends FollowSignInDeps {
  readonly settings: SignInSettings;
  readonly launch: LaunchSignIn;
  /** Nobody can be asked from here: what a person can do about it elsewhere. */
  readonly nonInteractiveReason?: { readonly hint: string } | undefined;
}

export type Asked =
  | { readonly kind: 'usable'; readonly record: CredentialRecord }
  | { readonly kind: 'sign-in'; readonly signIn: PendingSignInStatus };

/** A person who did not answer the last tab does not want another one each time a host asks for something. */
const BROWSER_PAUSE_MS = 10 * 60_000;
/** A sign-in ends itself at its own deadline; the lease allows it to start up and to tidy up. */
const LEASE_EXTRA_MS = 60_000;

/** The sign-in of this credential: the one that is going on anywhere on this machine, else a new one. */
export async function ensureSignIn(
  tools: EnsureSignInDeps,
  challenge: BearerChallenge | undefined,
  signal: AbortSignal,
): Promise<Asked> {
  if (tools.nonInteractiveReason !== undefined)
    return followOrRefuse(tools, tools.nonInteractiveReason.hint, signal);
  const begun = await begin(tools, challenge);
  if (begun.kind === 'usable') return begun;
  // The one that is going on may be that whose token was just refused, about to end: then it is not the one that is wanted.
  const again = begun.kind === 'held' ? () => begin(tools, challenge) : undefined;
  return { kind: 'sign-in', signIn: new SignInFollower(tools, begun.nonce, signal, again) };
}

async function begin(tools: EnsureSignInDeps, challenge: BearerChallenge | undefined): Promise<LeaseOutcome> {
  const { leases, key, clock, settings, launch } = tools;
  const now = clock.now();
  const lease = await leases.create(key, now, settings.authTimeoutMs + LEASE_EXTRA_MS);
  if (lease.kind === 'held') return { kind: 'held', nonce: lease.nonce };
  const { nonce } = lease;
  try {
    // One that was going on may have ended well since the record was last read: then no second tab.
    const record = await tools.usable();
    if (record !== undefined) {
      await leases.release(key, nonce);
      return { kind: 'usable', record };
    }
    const openBrowser = settings.openBrowser && !isBrowserPause(await leases.readStatus(key), now);
    await launch({ ...settings, openBrowser, key, nonce, challenge: challenge ?? {} });
  } catch (error) {
    await leases.writeStatus(key, failedFace(error, nonce, now));
    await leases.release(key, nonce);
    throw error;
  }
  return { kind: 'begun', nonce };
}

/** Headless: a sign-in that a person does elsewhere on this machine is waited for, none is begun. */
async function followOrRefuse(tools: EnsureSignInDeps, hint: string, signal: AbortSignal): Promise<Asked> {
  const { leases, key, clock, settings, usable } = tools;
  const nonce = await leases.holder(key, clock.now());
  if (nonce !== undefined) return { kind: 'sign-in', signIn: new SignInFollower(tools, nonce, signal) };
  const record = await usable();
  if (record !== undefined) return { kind: 'usable', record };
  throw signInNeeded(settings.server, hint);
}

export function signInNeeded(server: string, hint: string): SignInNeededError {
  return new SignInNeededError(
    `signing in to ${quoteAddress(server)} is needed, and nobody can be asked here`,
    {
      hint,
    },
  );
}

/** Only after one that opened a browser and did not end well: the address is still offered. */
export function isBrowserPause(face: SignInStatus | undefined, now: number): boolean {
  if (face?.browserOpenedAt === undefined || face.phase === 'done') return false;
  return Math.abs(now - face.browserOpenedAt) < BROWSER_PAUSE_MS;
}

function failedFace(error: unknown, nonce: string, now: number): SignInStatus {
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
