import { DrawbridgeError } from '../../errors.ts';
import type { PendingSignInStatus } from '../../protocol/pending-sign-in.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import type { Asked, EnsureSignInDeps } from '../sign-in/ensure.ts';
import { isByPerson, SIGN_IN_PAUSE_MS } from '../sign-in/retry-pause.ts';

export type OnDemandSignInDeps = Omit<EnsureSignInDeps, 'usable' | 'onRecord'>;

/** More scope than the current login has. The login of this family is not sufficient. */
export interface WantedScope {
  readonly scope: string;
  /** When a person was asked for more scope before. Milliseconds since the epoch. */
  readonly stepUps: readonly number[];
  readonly family: string;
}

/** The sign-ins of one bridge: one at a time, and after a failure that no person caused not again at once. */
export class OnDemandSignIn {
  readonly #deps: OnDemandSignInDeps;
  readonly #usable: () => Promise<CredentialRecord | undefined>;
  readonly #onRecord: (record: CredentialRecord) => Bearer;
  #pending: PendingSignInStatus | undefined;
  #failed: { readonly error: DrawbridgeError; readonly at: number } | undefined;

  constructor(
    deps: OnDemandSignInDeps,
    usable: () => Promise<CredentialRecord | undefined>,
    onRecord: (record: CredentialRecord) => Bearer,
  ) {
    this.#deps = deps;
    this.#usable = usable;
    this.#onRecord = onRecord;
  }

  /** The sign-in that a person is asked for now. */
  get pending(): PendingSignInStatus | undefined {
    return this.#pending;
  }

  /** Follows the sign-in under way anywhere on this machine, or starts one. Rejects if none can be started. */
  async ensure(
    challenge: BearerChallenge | undefined,
    signal: AbortSignal,
    more?: WantedScope,
  ): Promise<Asked> {
    const { clock, settings } = this.#deps;
    if (this.#failed !== undefined && clock.monotonic() - this.#failed.at < SIGN_IN_PAUSE_MS) {
      throw this.#failed.error;
    }
    const { ensureSignIn } = await import('../sign-in/ensure.ts');
    const deps: EnsureSignInDeps = {
      ...this.#deps,
      settings: more === undefined ? settings : { ...settings, scope: more.scope, stepUps: more.stepUps },
      usable: async () => {
        const record = await this.#usable();
        return more !== undefined && record?.family === more.family ? undefined : record;
      },
      onRecord: this.#onRecord,
    };
    const noteFailure = (error: unknown) => {
      this.#pending = undefined;
      if (!(error instanceof DrawbridgeError) || isByPerson(error)) return;
      this.#failed = { error, at: clock.monotonic() };
    };
    const asked = await ensureSignIn(deps, challenge, signal).catch((error: unknown) => {
      noteFailure(error);
      throw error;
    });
    if (asked.kind === 'usable') return asked;
    this.#pending = asked.signIn;
    asked.signIn.done.then(() => {
      this.#pending = undefined;
    }, noteFailure);
    return asked;
  }
}
