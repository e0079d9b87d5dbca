import { AbortedError, type DrawbridgeError } from '../../errors.ts';
import { abortable } from '../../platform/abortable.ts';
import type { StopSignal } from '../../platform/stop.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { secretsOf } from '../../store/record/secrets.ts';
import type { Authorization, Bearer, Recovery } from '../authorization.ts';
import { AccessTokenFactory } from '../dpop/access-token.ts';
import { GrantRefusedError } from '../errors/errors.ts';
import type { Stale } from '../refresh/decisions.ts';
import { freshness } from '../refresh/expiry.ts';
import { assertionHash } from './assertion-hash.ts';
import type { MachineAuthorizationOptions } from './machine-token.ts';
import { RefusedTokens } from './refused-tokens.ts';

/** A refusal is final for the same input; after this time whoever runs the server may have mended it. */
const REFUSED_PAUSE_MS = 10 * 60_000;

/** A credential that no person is asked for: a new one whenever the last one ends, obtained once for all processes. */
export class MachineAuthorization implements Authorization {
  readonly #options: MachineAuthorizationOptions;
  readonly #closing = new AbortController();
  readonly #refusals = new RefusedTokens();
  readonly #tokens: AccessTokenFactory;
  #record: CredentialRecord | undefined;
  #obtaining: Promise<CredentialRecord> | undefined;
  #refused: { readonly error: DrawbridgeError; readonly at: number; readonly input: string } | undefined;

  constructor(options: MachineAuthorizationOptions) {
    this.#options = options;
    this.#tokens = new AccessTokenFactory({ ...options, memory: options.proofMemory });
  }

  async current(signal: StopSignal): Promise<Bearer | undefined> {
    signal.throwIfAborted();
    const { store, key, clock } = this.#options;
    if (this.#record === undefined) {
      const found = await abortable(store.read(key, this.#identity()), signal);
      if (found.kind === 'record') this.#know(found.record);
    }
    const tokens = this.#record?.tokens;
    if (tokens === undefined) return undefined;
    const stale = { token: tokens.accessToken, refused: false };
    switch (freshness(tokens, clock.now())) {
      case 'fresh':
        break;
      case 'due':
        // The token serves; what goes wrong here, the 401 will bring to the host.
        this.#obtain(stale, undefined).catch(() => 'said at the 401');
        break;
      case 'expired':
        await abortable(
          this.#obtain(stale, undefined).catch(() => 'said at the 401'),
          signal,
        );
    }
    return this.#bearer();
  }

  async recover(
    refused: Bearer | undefined,
    challenge: BearerChallenge | undefined,
    signal: StopSignal,
  ): Promise<Recovery> {
    signal.throwIfAborted();
    const { clock } = this.#options;
    if (refused?.dpopProofs !== undefined) {
      const { refusedProof } = await import('../dpop/refused-proof.ts');
      const error = refusedProof(challenge);
      if (error !== undefined) throw error;
    }
    const isHopeless = refused !== undefined && this.#refusals.add(refused.token, clock.monotonic());
    if (isHopeless) {
      const { freshTokenRefused } = await import('./fresh-token-refused.ts');
      throw freshTokenRefused(this.#record, challenge);
    }
    await abortable(this.#obtain({ token: refused?.token, refused: true }, challenge), signal);
    this.#refusals.replaced(clock.monotonic());
    return { kind: 'retry', bearer: this.#bearer() ?? { token: '' } };
  }

  worked(bearer: Bearer): void {
    if (!this.#refusals.has(bearer.token)) this.#refusals.clear();
  }

  close(): void {
    this.#closing.abort(new AbortedError('the bridge is closing'));
  }

  /** Callers join. */
  #obtain(stale: Stale, challenge: BearerChallenge | undefined): Promise<CredentialRecord> {
    this.#obtaining ??= this.#obtainOnce(stale, challenge).finally(() => {
      this.#obtaining = undefined;
    });
    return this.#obtaining;
  }

  async #obtainOnce(stale: Stale, challenge: BearerChallenge | undefined): Promise<CredentialRecord> {
    const { clock } = this.#options;
    const refused = this.#refused;
    const input = assertionHash(this.#options);
    const isPause = refused !== undefined && clock.monotonic() - refused.at < REFUSED_PAUSE_MS;
    if (isPause && refused.input === input) throw refused.error;
    try {
      const { obtainShared } = await import('./machine-token.ts');
      const record = await obtainShared(this.#options, stale, challenge, this.#closing.signal);
      this.#know(record);
      return record;
    } catch (error) {
      if (error instanceof GrantRefusedError) this.#refused = { error, at: clock.monotonic(), input };
      throw error;
    }
  }

  #know(record: CredentialRecord): void {
    this.#record = record;
    for (const secret of secretsOf(record)) this.#options.logger.secret(secret);
  }

  #bearer(): Bearer | undefined {
    return this.#tokens.of(this.#record);
  }

  #identity() {
    const { server, resource } = this.#options;
    return { server, resource };
  }
}
