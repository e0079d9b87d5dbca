import type { AuthorizationOptions } from '../auth/credential/interactive-authorization.ts';
import { validToken } from '../auth/credential/valid-token.ts';
import { RefreshPostponedError, SignInEndedError } from '../auth/errors/errors.ts';
import { LEASE_EXTRA_MS, signInNeeded } from '../auth/sign-in/ensure.ts';
import { SignInFollower } from '../auth/sign-in/follow.ts';
import type { SignInOutcome } from '../auth/sign-in/run.ts';
import type { SignInRequest } from '../auth/sign-in-request.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import { quote, quoteAddress, shownAddress } from '../protocol/quote.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';
import { StoreReadOnlyError } from '../store/files/store-errors.ts';
import type { SignInStatus } from '../store/lease/lease.ts';
import type { CredentialRecord } from '../store/record/record.ts';

/** What `login` needs. */
export interface LoginParts {
  readonly credential: AuthorizationOptions;
  /** The name of this machine. */
  readonly host: string;
  /** Present if nobody can sign in here; the hint says what the user can do elsewhere. */
  readonly nonInteractiveReason: { readonly hint: string } | undefined;
  /** No browser is opened, and the user may paste the address of the redirect. */
  readonly manual: boolean;
  readonly force: boolean;
  /** Whether the server refuses the token of this login; false also if that cannot be found out. */
  readonly isRefused: (record: CredentialRecord, signal: AbortSignal) => Promise<boolean>;
  /** Sends a request without a token and resolves with the server's challenge, if there is one. */
  readonly probe: (signal: AbortSignal) => Promise<BearerChallenge | undefined>;
  /** Runs the sign-in in this process; `onPrompt` receives the address to open. */
  readonly signIn: (
    request: SignInRequest,
    onPrompt: (prompt: SignInPrompt) => void,
    signal: AbortSignal,
  ) => Promise<SignInOutcome>;
  /** For a sign-in of another process: forwards to it what the user pastes, until the returned function is called. `address`: the one to open. */
  readonly forwardPasted: (address: string) => () => void;
  /** What a person has to know about another folder with logins. */
  readonly otherStoreNote: string | undefined;
  /** Shows a spinner with this text until the returned function is called. */
  readonly wait: (text: string) => () => void;
}

/** The address that the user has to open, and the code to enter there. */
export type SignInPrompt = Pick<SignInStatus, 'userCode' | 'codeAddress'> & { readonly address: string };

/**
 * `login URL`: runs in the foreground the sign-in that bridges start in the background. Rejects with SignInNeededError if no sign-in is possible here, with
 * StoreReadOnlyError if the login cannot be saved, and with the error of a failed sign-in.
 */
export async function login(parts: LoginParts, signal: AbortSignal): Promise<void> {
  const { credential, force, manual } = parts;
  const { leases, key, clock, logger, settings } = credential;
  if (!force && (await isSignedIn(parts, signal))) {
    logger.inform(
      `You are already signed in to ${quoteAddress(settings.server)}; use --force to sign in again.`,
    );
    return;
  }
  if (!credential.store.writable) {
    throw new StoreReadOnlyError('the login cannot be saved, so it would be lost when this command ends', {
      hint: `Make ${credential.store.place} writable, and leave out --store memory.`,
    });
  }
  if (parts.nonInteractiveReason !== undefined)
    throw signInNeeded(settings.server, parts.nonInteractiveReason.hint);
  const lifetimeMs = settings.authTimeoutMs + LEASE_EXTRA_MS;
  const lease = await leases.create(key, clock.now(), lifetimeMs);
  const nonce =
    lease.kind === 'held' ? await takeFromElsewhere(parts, lease.status, lifetimeMs) : lease.nonce;
  if (nonce === undefined) return follow(parts, lease.nonce, signal);
  const challenge = await parts.probe(signal);
  const request: SignInRequest = {
    ...settings,
    // OpenID Connect Core §3.1.2.1; servers without OpenID Connect ignore it (RFC 6749 §3.1).
    authorizeParams: force
      ? [...(settings.authorizeParams ?? []), ['prompt', 'login']]
      : settings.authorizeParams,
    key,
    nonce,
    challenge: challenge ?? {},
    openBrowser: !manual,
  };
  const outcome = await waiting(parts, (onOffer) => parts.signIn(request, onOffer, signal));
  if (outcome.kind === 'failed') throw outcome.error;
  if (outcome.kind === 'superseded') throw new SignInEndedError(undefined, 'another sign-in took over');
  logger.inform(signedIn(settings.server));
  if (parts.otherStoreNote !== undefined) logger.inform(parts.otherStoreNote);
  if (!manual) await outcome.closed;
}

/** Whether there is a token that the server accepts. One that it refuses is replaced by a refresh, if that is possible now. */
async function isSignedIn({ credential, isRefused }: LoginParts, signal: AbortSignal): Promise<boolean> {
  const first = await validToken(credential, signal);
  if (first.kind !== 'token') return false;
  if (!(await isRefused(first.record, signal))) return true;
  const second = await validToken(credential, signal, first.record.tokens.accessToken).catch((error) => {
    // A sign-in does not need the refresh.
    if (error instanceof RefreshPostponedError) return undefined;
    throw error;
  });
  return second?.kind === 'token' && !(await isRefused(second.record, signal));
}

/**
 * Takes over a sign-in under way on another machine: its address leads back to a browser there. A code can be entered anywhere. Resolves with the nonce;
 * undefined: the sign-in can be followed.
 */
async function takeFromElsewhere(
  { credential, host }: LoginParts,
  status: SignInStatus | undefined,
  lifetimeMs: number,
): Promise<string | undefined> {
  const { leases, key, logger } = credential;
  if (status?.host === undefined || status.host === host || status.userCode !== undefined) return undefined;
  const nonce = await leases.take?.(key, lifetimeMs);
  if (nonce !== undefined)
    logger.inform(`A sign-in was going on at ${quote(status.host)}; this one takes its place.`);
  return nonce;
}

/** Follows a sign-in that another process, such as a bridge, has already started, and shows its address to the user. */
async function follow(parts: LoginParts, nonce: string | undefined, signal: AbortSignal): Promise<void> {
  const { credential } = parts;
  const { store, key, settings } = credential;
  const read = async () => {
    const found = await store.read(key, { server: settings.server, resource: settings.resource });
    return found.kind === 'record' ? found.record : undefined;
  };
  const before = await read();
  // The login that was stored before does not count: with --force the user wants a new one.
  const usable = async () => {
    const record = await read();
    return record?.family === before?.family ? undefined : record;
  };
  const onRecord = ({ tokens }: CredentialRecord) => ({ token: tokens?.accessToken ?? '' });
  let stop = () => {};
  await waiting(parts, (onOffer) => {
    const follower = new SignInFollower({ ...credential, usable, onRecord }, nonce, signal);
    follower.onAddress((address) => {
      const { userCode, codeAddress } = follower;
      onOffer({
        address,
        ...withoutUndefined({ userCode, codeAddress }),
      });
      if (userCode === undefined) stop = parts.forwardPasted(address);
    });
    return follower.done;
  }).finally(() => stop());
  credential.logger.inform(signedIn(credential.settings.server));
}

async function waiting<T>(
  { credential, manual, wait }: LoginParts,
  run: (onOffer: (offer: SignInPrompt) => void) => Promise<T>,
): Promise<T> {
  let stop = () => {};
  const onOffer = (offer: SignInPrompt) => {
    credential.logger.inform(inWords(offer, manual));
    stop = wait('Waiting for you to sign in');
  };
  try {
    return await run(onOffer);
  } finally {
    stop();
  }
}

/** RFC 8628 §3.3, §3.3.1: the code is shown even if the address contains it, so that the user can compare it with the one on the page. */
function inWords({ address, userCode, codeAddress }: SignInPrompt, manual: boolean): string {
  if (userCode !== undefined) {
    const withCode = codeAddress === undefined ? '' : `\nThis address already contains the code:\n${address}`;
    return `On any device, open this address:\n${codeAddress ?? address}\nand enter the code: ${userCode}${withCode}`;
  }
  return manual
    ? `Open this address in a browser:\n${address}\nThen copy the address that the browser shows last, and paste it here.`
    : `A browser opens this address; if none does, open it yourself:\n${address}`;
}

/** The result, and the next step. */
function signedIn(server: string): string {
  const install = ownCommand('install', shownAddress(server));
  return `Signed in to ${quoteAddress(server)}. To add it to a host: ${install}`;
}
