import type { Authorization, Bearer } from '../../../src/auth/authorization.ts';
import { SignInFailedError } from '../../../src/auth/errors/sign-in-errors.ts';
import type { PendingSignInStatus } from '../../../src/protocol/pending-sign-in.ts';
import { Journal } from '../net/journal.ts';

/** An authorization whose sign-in ends when the test says so. */
export class HeldSignIn implements Authorization {
  /** How often somebody asked for a sign-in while none was going on. */
  asked = 0;
  /** One entry for each 401 that was brought here. */
  readonly recoveries = new Journal<'recover'>();
  #bearer: Bearer | undefined;
  #address: string | undefined;
  /** Whether the sign-in has opened a browser with the address. */
  browserOpened = false;
  #current: PendingSignInStatus | undefined;
  #settle: { resolve: (bearer: Bearer) => void; reject: (error: unknown) => void } | undefined;
  readonly #listeners = new Set<(address: string) => void>();

  async current(): Promise<Bearer | undefined> {
    return this.#bearer;
  }

  async recover() {
    if (this.#current === undefined) {
      this.asked++;
      const done = new Promise<Bearer>((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
      done.catch(() => {});
      const address = () => this.#address;
      const browserOpened = () => this.browserOpened;
      this.#current = {
        get address() {
          return address();
        },
        get browserOpened() {
          return browserOpened();
        },
        deadline: undefined,
        onAddress: (listener) => {
          this.#listeners.add(listener);
          if (this.#address !== undefined) listener(this.#address);
        },
        done,
      };
    }
    this.recoveries.add('recover');
    return { kind: 'sign-in', signIn: this.#current } as const;
  }

  show(address: string): void {
    this.#address = address;
    for (const listener of this.#listeners) listener(address);
  }

  succeed(token: string): void {
    this.#bearer = { token };
    this.#current = undefined;
    this.#settle?.resolve(this.#bearer);
  }

  fail(): void {
    this.#current = undefined;
    this.#settle?.reject(new SignInFailedError('the person said no'));
  }

  worked(): void {}

  async close(): Promise<void> {}
}
