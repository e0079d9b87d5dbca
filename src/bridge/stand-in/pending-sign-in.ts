import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import type { Unavailability } from './unavailability.ts';

export interface SignInHooks {
  /** Called with each address that a person could open. */
  readonly onAddress: (address: string, userCode?: string) => void;
  /** The sign-in has ended, successfully or not. */
  readonly onEnd: (succeeded: boolean) => void;
}

/** The sign-in under way, whoever requested it: waiting requests report it to their callers. */
export class PendingSignIn {
  #current: PendingSignInStatus | undefined;
  readonly #hooks: SignInHooks;

  constructor(hooks: SignInHooks) {
    this.#hooks = hooks;
  }

  /** Watches a sign-in until it ends; a repeated call for the same one changes nothing. */
  watch(signIn: PendingSignInStatus): void {
    if (this.#current === signIn) return;
    this.#current = signIn;
    signIn.onAddress(this.#hooks.onAddress);
    const over = (succeeded: boolean) => {
      if (this.#current !== signIn) return;
      this.#current = undefined;
      this.#hooks.onEnd(succeeded);
    };
    signIn.done.then(
      () => over(true),
      () => over(false),
    );
  }

  /** Whether the sign-in under way has opened a browser. */
  get browserOpened(): boolean {
    return this.#current?.browserOpened ?? false;
  }

  get unavailability(): Extract<Unavailability, { kind: 'signing-in' }> | undefined {
    if (this.#current === undefined) return undefined;
    const { address, userCode, browserOpened } = this.#current;
    return { kind: 'signing-in', address, userCode, browserOpened };
  }
}
