import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { OpenBrowser } from '../../platform/desktop/browser.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import { StoreAwayError } from '../../store/files/store-errors.ts';
import { HEARTBEAT_MS, type Leases } from '../../store/lease/lease.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { RedirectReceiver } from '../callback/receiver.ts';
import { SignInExpiredError, SignInFailedError } from '../errors/sign-in-errors.ts';
import { type SignInAttempt, type SignInPorts, signIn } from '../grant/authorization-code.ts';
import { type CreateGuardedHttp, withGuardedFetch } from '../http/guarded-fetch.ts';
import type { SignInRequest } from '../sign-in-request.ts';
import { StatusWriter, showAddress } from './status.ts';

/** What a complete sign-in needs: the ports of its grant, and the lease, network and browser around it. */
export interface RunSignInDeps extends SignInPorts {
  readonly leases: Pick<Leases, 'adopt' | 'heartbeat' | 'holder' | 'release' | 'writeStatus'>;
  readonly createHttp: CreateGuardedHttp;
  readonly openBrowser: OpenBrowser;
  readonly pid: number;
  /** The name of this machine. */
  readonly host?: string;
  /** Called once the lease belongs to this process. */
  readonly onAdopted?: () => void;
}

export type SignInOutcome =
  | {
      readonly kind: 'signed-in';
      readonly record: CredentialRecord;
      /** The listener stays for a moment, for a browser that sends its request again; a process waits for this before it ends. */
      readonly closed: Promise<void>;
    }
  | { readonly kind: 'failed'; readonly error: DrawbridgeError }
  /** Another sign-in has the lease. */
  | { readonly kind: 'superseded' };

/** .github/SECURITY.md, attack 29: a replayed callback gets its page within this time; then the port is free. */
const LINGER_MS = 2_000;
/** How often it checks whether the port is needed sooner. */
const LINGER_STEP_MS = 100;

/**
 * One sign-in from lease to credential, in a separate process or, if none can be started or the store is not writable, inside the bridge. Its status shows the
 * progress to other processes. Rejects only if the lease itself cannot be read or released.
 */
export async function runSignIn(
  request: SignInRequest,
  deps: RunSignInDeps,
  outer: AbortSignal,
): Promise<SignInOutcome> {
  const { clock, leases, logger } = deps;
  const { key, nonce, authTimeoutMs } = request;
  if (!(await leases.adopt(key, nonce))) return { kind: 'superseded' };
  deps.onAdopted?.();

  const startedAt = clock.now();
  const deadline = startedAt + authTimeoutMs;
  const status = new StatusWriter(leases, key, {
    phase: 'starting',
    nonce,
    pid: deps.pid,
    ...withoutUndefined({ host: deps.host }),
    server: request.server,
    profile: request.profile,
    startedAt,
    deadline,
  });
  const receiver = new RedirectReceiver(request.server, logger);
  const lease = keepLease(request, deps);
  const expiry = timer(
    clock,
    authTimeoutMs,
    new SignInExpiredError(`nobody signed in within ${inWords(authTimeoutMs)}`),
  );
  const signal = AbortSignal.any([outer, lease.lost]);
  const waiting = AbortSignal.any([signal, expiry.signal]);
  try {
    await status.write({});
    const openBrowser = request.openBrowser ? deps.openBrowser : undefined;
    const isDevice = request.grant === 'device_code';
    // A code is for a browser on another device.
    const browser = isDevice ? undefined : openBrowser;
    const show: SignInAttempt['show'] = (address, code) =>
      showAddress(address, { status, openBrowser: browser, code, now: clock.now, logger });
    const flow = isDevice ? (await import('../grant/device-code.ts')).deviceSignIn : signIn;
    const { allowHttp, headers } = request;
    const { createHttp } = deps;
    const record = await withGuardedFetch(
      { server: new URL(request.server), headers, allowHttp, clock, createHttp },
      (fetch) => flow(request, { ...deps, fetch, receiver }, { signal, waiting, show }),
    );
    await status.write({ phase: 'done' });
    return { kind: 'signed-in', record, closed: linger(receiver, request, deps, outer) };
  } catch (thrown) {
    await receiver.close();
    if (lease.lost.aborted) return { kind: 'superseded' };
    const error = asFailure(thrown, outer);
    const message = describeError(error);
    logger.debug('sign-in failed', { code: error.code, error: message });
    const { code, hint } = error;
    await status.write({ phase: 'failed', error: withoutUndefined({ code, message, hint }) });
    return { kind: 'failed', error };
  } finally {
    expiry.stop();
    lease.stop();
    await leases.release(key, nonce);
  }
}

/** Signals that the sign-in is alive; notices if it was taken for dead, for example after a sleep of the machine. */
function keepLease({ key, nonce }: SignInRequest, { clock, leases, logger }: RunSignInDeps) {
  const lost = new AbortController();
  const over = new AbortController();
  const beat = async () => {
    for (;;) {
      await clock.sleep(HEARTBEAT_MS, over.signal);
      // An engine that is away reports nothing about the lease.
      const isOurs = await leases.heartbeat(key, nonce).catch((error: unknown) => {
        if (error instanceof StoreAwayError) return true;
        throw error;
      });
      if (!isOurs) return lost.abort(new AbortedError('another sign-in took over'));
    }
  };
  beat().catch((error: unknown) => {
    if (!over.signal.aborted) logger.warn('lease not kept', { error: describeError(error) });
  });
  return { lost: lost.signal, stop: () => over.abort() };
}

function timer(clock: Clock, ms: number, reason: DrawbridgeError) {
  const expired = new AbortController();
  const over = new AbortController();
  clock.sleep(ms, over.signal).then(
    () => expired.abort(reason),
    () => {},
  );
  return { signal: expired.signal, stop: () => over.abort() };
}

/** Ends early for the next sign-in of this credential (a call that needs more scope), whose registration has this port. */
async function linger(
  receiver: RedirectReceiver,
  { key, nonce }: SignInRequest,
  { clock, leases }: RunSignInDeps,
  signal: AbortSignal,
): Promise<void> {
  const end = clock.monotonic() + LINGER_MS;
  const isWanted = async () => {
    const holder = await leases.holder(key, clock.now());
    return holder !== undefined && holder !== nonce;
  };
  try {
    do await clock.sleep(LINGER_STEP_MS, signal);
    while (clock.monotonic() < end && !(await isWanted()));
  } catch {
    // The process was stopped, or the folder is gone: no other sign-in can follow.
  }
  await receiver.close();
}

function asFailure(thrown: unknown, outer: AbortSignal): DrawbridgeError {
  if (outer.aborted) return new AbortedError('the sign-in was stopped', { cause: thrown });
  if (thrown instanceof DrawbridgeError) return thrown;
  return new SignInFailedError('the sign-in failed', { cause: thrown });
}

function inWords(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`;
}
