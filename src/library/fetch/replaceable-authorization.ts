import type { Authorization, Bearer, Recovery } from '../../auth/authorization.ts';

/** An authorization that another one can take the place of: it is closed then as soon as no call and no sign-in waits for it. */
export class ReplaceableAuthorization implements Authorization {
  readonly #inner: Authorization;
  #waiting = 0;
  #onClosed: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(inner: Authorization) {
    this.#inner = inner;
  }

  current(...asked: Parameters<Authorization['current']>): ReturnType<Authorization['current']> {
    const found = this.#inner.current(...asked);
    return found instanceof Promise ? this.#during(found) : found;
  }

  recover(...asked: Parameters<Authorization['recover']>): Promise<Recovery> {
    const recovering = this.#inner.recover(...asked).then((recovery) => {
      // Whoever called waits for the sign-in from here on.
      if (recovery.kind === 'sign-in') this.#during(recovery.signIn.done).catch(() => 'told to who waits');
      return recovery;
    });
    return this.#during(recovering);
  }

  worked(bearer: Bearer): void {
    this.#inner.worked?.(bearer);
  }

  /** No call comes any more. `onClosed` is called once it is closed. */
  replaced(onClosed: () => void): void {
    this.#onClosed = onClosed;
    this.#closeIfUnused();
  }

  close(): Promise<void> {
    this.#closed ??= (async () => this.#inner.close())();
    return this.#closed;
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await work;
    } finally {
      this.#waiting--;
      this.#closeIfUnused();
    }
  }

  #closeIfUnused(): void {
    const onClosed = this.#onClosed;
    if (onClosed === undefined || this.#waiting > 0) return;
    // What it did last is in the store, or the next one does it again.
    this.close().then(onClosed, onClosed);
  }
}
