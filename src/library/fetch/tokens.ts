import type { Authorization, Bearer } from '../../auth/authorization.ts';
import { SignInNeededError } from '../../auth/errors/errors.ts';
import { abortable } from '../../platform/abortable.ts';
import type { Clock } from '../../platform/clock.ts';
import { anySignal } from '../../platform/stop.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import { quoteAddress } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { SignInPrompt } from '../interface/login-options.ts';

export interface TokensDeps {
  readonly server: URL;
  readonly authorization: () => Authorization;
  readonly clock: Clock;
  /** Calls wait for a sign-in. */
  readonly wait: boolean;
  readonly onPrompt: ((prompt: SignInPrompt) => unknown) | undefined;
  /** The access token in the store, if it has not expired. */
  readonly storedToken: () => Promise<string | undefined>;
}

/** A sign-in has its address once it has found the authorization server and has a client there: a few requests. */
const ADDRESS_MS = 30_000;
/** Followers of a sign-in poll four times a second; a busy machine is slower. */
const FOLLOWED_MS = 5_000;

/** Tokens for a program: if a sign-in is needed, the call gets an error with the address, or waits. */
export class Tokens {
  readonly #deps: TokensDeps;

  constructor(deps: TokensDeps) {
    this.#deps = deps;
  }

  /** The token to send now, replaced if it has expired; undefined: there is none. */
  current(signal: AbortSignal): Promise<Bearer | undefined> | Bearer | undefined {
    return this.#deps.authorization().current(signal);
  }

  worked(bearer: Bearer): void {
    this.#deps.authorization().worked?.(bearer);
  }

  /** Replaces the refused token. Rejects with SignInNeededError, or with the reason why there is none. */
  async replace(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: AbortSignal,
  ): Promise<Bearer> {
    const { authorization, wait, onPrompt } = this.#deps;
    const recovery = await authorization().recover(refused, challenge, signal);
    if (recovery.kind === 'retry') return recovery.bearer;
    const { signIn } = recovery;
    const failed = onPrompt === undefined ? [] : [tell(signIn, onPrompt)];
    if (wait) return abortable(Promise.race([signIn.done, ...failed]), signal);
    const stored = await this.#deps.storedToken();
    // The sign-in is complete, and its followers will notice in a moment.
    const isOver = stored !== undefined && stored !== refused?.token;
    return this.#afterOffer(signIn, isOver, signal);
  }

  /** Waits until there is an address, but not for the sign-in. `isOver`: a token exists by now. */
  async #afterOffer(signIn: PendingSignInStatus, isOver: boolean, signal: AbortSignal): Promise<Bearer> {
    const { clock, server } = this.#deps;
    const over = new AbortController();
    const offered = new Promise<undefined>((resolve) => signIn.onAddress(() => resolve(undefined)));
    const late = clock
      .sleep(isOver ? FOLLOWED_MS : ADDRESS_MS, anySignal([over.signal, signal]))
      .catch(() => undefined);
    try {
      const first = isOver ? [signIn.done, late] : [signIn.done, offered, late];
      const done = await abortable(Promise.race(first), signal);
      if (done !== undefined) return done;
    } finally {
      over.abort();
    }
    const { address, userCode, deadline } = signIn;
    throw new SignInNeededError(`signing in to ${quoteAddress(server)} is needed`, {
      address,
      userCode,
      deadline,
      hint:
        address === undefined
          ? 'A sign-in was started, and its address is not known yet: ask again.'
          : `Open ${address} and try again.`,
    });
  }
}

/** Calls `onPrompt` with each address, once. Rejects with its error, also of an async function: perhaps nobody has seen the address. */
export function tell(
  signIn: PendingSignInStatus,
  onPrompt: (prompt: SignInPrompt) => unknown,
): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    signIn.onAddress((address, userCode) => {
      const { deadline } = signIn;
      const prompt = { address, ...withoutUndefined({ userCode, deadline }) };
      new Promise((resolve) => resolve(onPrompt(prompt))).catch(reject);
    });
  });
  failed.catch(() => 'whoever waits for the sign-in is told');
  return failed;
}
