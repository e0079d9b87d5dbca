import { AbortedError, type DrawbridgeError } from '../errors.ts';
import type { Http } from '../platform/http.ts';
import type { Logger } from '../platform/logger.ts';
import type { CredentialRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { abortable } from './abortable.ts';
import { type AddressGuard, createAddressGuard } from './address-policy.ts';
import type { Authorization, Bearer, Recovery } from './authorization.ts';
import { GrantRefusedError } from './authorization-errors.ts';
import { freshness } from './freshness.ts';
import type { MachineGrantOptions } from './machine-grant.ts';
import { newerRecord, type Stale } from './refresh-decisions.ts';
import { Refusals } from './refusals.ts';

export interface MachineAuthorizationOptions extends Omit<MachineGrantOptions, 'fetch'> {
  readonly store: Store;
  readonly key: string;
  readonly allowHttp: boolean;
  readonly logger: Logger;
  readonly createHttp: (allowAddress: AddressGuard['allow']) => Promise<Http>;
}

/** A refusal is final for the same input; after this time whoever runs the server may have mended it. */
const REFUSED_PAUSE_MS = 10 * 60_000;

/** A credential that no person is asked for: a new one whenever the last one ends, obtained once for all processes. */
export class MachineAuthorization implements Authorization {
  readonly #options: MachineAuthorizationOptions;
  readonly #closing = new AbortController();
  readonly #refusals = new Refusals();
  #record: CredentialRecord | undefined;
  #obtaining: Promise<CredentialRecord> | undefined;
  #refused: { readonly error: DrawbridgeError; readonly at: number } | undefined;

  constructor(options: MachineAuthorizationOptions) {
    this.#options = options;
  }

  async current(signal: AbortSignal): Promise<Bearer | undefined> {
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
    wwwAuthenticate: string | undefined,
    signal: AbortSignal,
  ): Promise<Recovery> {
    signal.throwIfAborted();
    const { clock } = this.#options;
    const isHopeless = refused !== undefined && this.#refusals.add(refused.token, clock.monotonic());
    if (isHopeless) {
      const { freshTokenRefused } = await import('./fresh-token-refused.ts');
      throw freshTokenRefused(this.#record);
    }
    await abortable(this.#obtain({ token: refused?.token, refused: true }, wwwAuthenticate), signal);
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
  #obtain(stale: Stale, wwwAuthenticate: string | undefined): Promise<CredentialRecord> {
    this.#obtaining ??= this.#obtainOnce(stale, wwwAuthenticate).finally(() => {
      this.#obtaining = undefined;
    });
    return this.#obtaining;
  }

  async #obtainOnce(stale: Stale, wwwAuthenticate: string | undefined): Promise<CredentialRecord> {
    const { store, key, clock } = this.#options;
    const signal = this.#closing.signal;
    const refused = this.#refused;
    if (refused !== undefined && clock.monotonic() - refused.at < REFUSED_PAUSE_MS) throw refused.error;
    const adopt = async () => newerRecord(await store.read(key, this.#identity()), stale, clock.now());
    try {
      // The lock makes it one request for all processes; the others find its outcome.
      const record = await store.withLock(
        key,
        async (held) => {
          const newer = newerRecord(await held.read(this.#identity()), stale, clock.now());
          if (newer !== undefined) return newer;
          const written = await held.write(await this.#request(wwwAuthenticate, signal), 'any');
          return written.kind === 'written' ? written.record : undefined;
        },
        { signal, onTurn: adopt },
      );
      if (record === undefined) throw new AbortedError('the credential was removed meanwhile');
      this.#know(record);
      return record;
    } catch (error) {
      if (error instanceof GrantRefusedError) this.#refused = { error, at: clock.monotonic() };
      throw error;
    }
  }

  async #request(wwwAuthenticate: string | undefined, signal: AbortSignal) {
    const [{ obtainCredential }, { createGuardedFetch }, { bearerChallenge }, { withUnion }] =
      await Promise.all([
        import('./machine-grant.ts'),
        import('./guarded-fetch.ts'),
        import('./challenge.ts'),
        import('./step-up.ts'),
      ]);
    const { createHttp, allowHttp, clock } = this.#options;
    const server = new URL(this.#options.server);
    const addresses = createAddressGuard(server);
    const http = await createHttp(addresses.allow);
    try {
      const fetch = createGuardedFetch({ http, addresses, server, allowHttp, clock });
      const challenge = withUnion(bearerChallenge(wwwAuthenticate), this.#record);
      return await obtainCredential({ ...this.#options, fetch }, challenge, signal);
    } finally {
      await http.close();
    }
  }

  #know(record: CredentialRecord): void {
    this.#record = record;
    const token = record.tokens?.accessToken;
    if (token !== undefined) this.#options.logger.secret(token);
  }

  #bearer(): Bearer | undefined {
    const token = this.#record?.tokens?.accessToken;
    return token === undefined ? undefined : { token };
  }

  #identity() {
    const { server, resource } = this.#options;
    return { server, resource };
  }
}
