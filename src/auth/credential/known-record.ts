import { describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Moment, slept } from '../../platform/clock-jump.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { StoreAwayError } from '../../store/files/store-errors.ts';
import type { Store } from '../../store/port/store.ts';
import type { CredentialRecord, RecordIdentity } from '../../store/record/record.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';

export interface KnownRecordDeps {
  readonly store: Pick<Store, 'read' | 'onChange' | 'pace'>;
  readonly key: string;
  readonly identity: RecordIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The record as this process last saw it. While the token in it is fresh, nothing is read from disk. */
export class KnownRecord {
  readonly #deps: KnownRecordDeps;
  #found: { readonly record: CredentialRecord | undefined } | undefined;
  #lookedAt: Moment;
  #loading: Promise<void> | undefined;
  /** Another process has changed it since. */
  #isChanged = false;
  readonly #unsubscribe: (() => void) | undefined;

  constructor(deps: KnownRecordDeps) {
    this.#deps = deps;
    this.#lookedAt = this.#moment();
    this.#unsubscribe = deps.store.onChange?.(deps.key, () => {
      this.#isChanged = true;
      deps.logger.debug('another process has changed the login');
    });
  }

  /** Undefined: the store has none, or has not been read. */
  get record(): CredentialRecord | undefined {
    return this.#found?.record;
  }

  set(record: CredentialRecord | undefined): void {
    this.#found = { record };
    keepSecretsOf(record);
  }

  /** Whether the store has to be read again: it was never read, another process has changed it, or the machine slept since the last call. */
  isOutOfDate(): boolean {
    const now = this.#moment();
    const isOutOfDate = this.#found === undefined || this.#isChanged || slept(this.#lookedAt, now);
    this.#lookedAt = now;
    return isOutOfDate;
  }

  /** Stops waiting for changes. */
  close(): void {
    this.#unsubscribe?.();
  }

  /**
   * Reads the store. Concurrent callers share one read. Rejects with StoreError, and with StoreAwayError if no record is known yet: a known token is used until
   * it expires, whether the engine is available or not.
   */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { store, key, identity, logger } = this.#deps;
    // Later changes are reported separately.
    this.#isChanged = false;
    const found = await store.read(key, identity).catch((error: unknown) => {
      if (!(error instanceof StoreAwayError) || this.#found?.record === undefined) throw error;
      logger.debug('the known login is used, since the shared store is away', {
        error: describeError(error),
      });
      return undefined;
    });
    if (found === undefined) return;
    if (found.kind === 'corrupt') {
      logger.warn('a credential that could not be read was set aside', { file: found.setAside });
    }
    this.set(found.kind === 'record' ? found.record : undefined);
  }

  #moment(): Moment {
    const { clock } = this.#deps;
    return { wall: clock.now(), monotonic: clock.monotonic() };
  }
}
