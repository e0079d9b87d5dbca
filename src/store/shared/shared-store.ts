import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { LockTimeoutError, StoreAwayError } from '../files/store-errors.ts';
import { WAIT_MS } from '../lock/limits.ts';
import type { CredentialOverview } from '../port/overview.ts';
import type { LockedRecord, LockOptions, ReadResult, Store, StorePace, WriteResult } from '../port/store.ts';
import { belongsTo } from '../record/read-record.ts';
import type { Expected, NewRecord, RecordIdentity } from '../record/record.ts';
import type { CellCodec } from './cell-codec.ts';
import type { Engine } from './engine.ts';
import { HeldLogin, NOT_PRIMARY } from './held-login.ts';
import { KeyIndex } from './key-index.ts';
import { LoginCell, type LoginCellDeps } from './login-cell.ts';
import type { Ownership } from './ownership.ts';
import { type Holder, recordOf, takeHold } from './protocol/decisions.ts';
import { clockOffset, shiftRecord } from './protocol/times.ts';
import { TIMING, type Timing } from './protocol/timing.ts';

export interface SharedStoreDeps {
  readonly engine: Engine;
  readonly codec: CellCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly ownership: Ownership;
  /** By default the waits of the protocol. */
  readonly timing?: Timing;
}

/** How long before expiry a refresh begins, so that a quarantine and a takeover still fit in; a tenth of the token's lifetime if that is less. */
const MAX_AHEAD_MS = 5 * 60_000;

/** Credentials on an engine shared by many machines. */
export class SharedStore implements Store {
  readonly writable = true;
  readonly isShared = true;
  readonly pace: StorePace;
  readonly index: KeyIndex;
  readonly #deps: SharedStoreDeps & { readonly timing: Timing };
  readonly #logins = new Map<string, LoginCell>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  #offset: number | undefined;
  /** Monotonic: until then a failover may lose this process's puts. */
  #unsettledUntil = Number.NEGATIVE_INFINITY;
  /** Until then (monotonic) no refresh is attempted, because the engine's server was not known to be the primary. */
  #pause = { ms: 0, until: Number.NEGATIVE_INFINITY };
  /** Monotonic: the first attempt at which the primary could not be confirmed, since it was the last time. */
  #unconfirmedSince: number | undefined;

  constructor(deps: SharedStoreDeps) {
    const timing = deps.timing ?? TIMING;
    this.#deps = { ...deps, timing };
    this.pace = { maxAheadMs: MAX_AHEAD_MS, spread: 0.5, closeGraceMs: timing.closeGraceMs };
    this.index = new KeyIndex(this.cellDeps);
  }

  get place(): string {
    return this.#deps.engine.place;
  }

  /** What every cell of this store needs. */
  get cellDeps(): LoginCellDeps & Pick<SharedStoreDeps, 'random'> {
    const onTime = (engineNow: number) => {
      this.#offset = clockOffset(this.#offset, this.#deps.clock.now(), engineNow);
    };
    return { ...this.#deps, onTime, closing: this.#closing.signal };
  }

  /** How far this machine's clock is ahead of the engine's, as last measured. */
  get offset(): number {
    return this.#offset ?? 0;
  }

  async read(key: string, identity?: RecordIdentity): Promise<ReadResult> {
    const state = await this.#login(key).read();
    if (state === undefined) await this.index.expectOurs();
    const record = recordOf(state);
    if (record === undefined || !belongsTo(record, identity)) return { kind: 'absent' };
    return { kind: 'record', record: shiftRecord(record, this.offset) };
  }

  async write(key: string, record: NewRecord, expected: Expected | 'any'): Promise<WriteResult> {
    const { clock, timing } = this.#deps;
    if (expected === null) await this.read(key);
    const run = (locked: LockedRecord) => locked.write(record, expected);
    const deadline = clock.monotonic() + WAIT_MS;
    for (;;) {
      try {
        return await this.#withLock(key, run, { signal: this.#closing.signal }, expected === 'any');
      } catch (error) {
        // A person has just signed in: that is worth waiting for an engine that may be back in a moment. Written twice, it is the same login.
        const mayWait = expected === 'any' && error instanceof StoreAwayError;
        if (!mayWait || clock.monotonic() >= deadline) throw error;
        await clock.sleep(timing.retryMaxMs / 2, this.#closing.signal);
      }
    }
  }

  remove(key: string): Promise<void> {
    return this.withLock(key, (locked) => locked.remove(), { signal: new AbortController().signal });
  }

  async withLock<T>(
    key: string,
    run: (locked: LockedRecord) => Promise<T>,
    options: LockOptions<T>,
  ): Promise<T> {
    if (this.#deps.clock.monotonic() >= this.#pause.until) return this.#withLock(key, run, options, false);
    const answer = await options.onTurn?.();
    if (answer !== undefined) return answer;
    throw new StoreAwayError(`the shared store at ${this.place} ${NOT_PRIMARY}`, { applied: 'no' });
  }

  changed(key: string, signal: StopSignal): Promise<void> {
    return this.#login(key).watch.changed(signal);
  }

  onChange(key: string, listener: () => void): () => void {
    return this.#login(key).onChange(listener);
  }

  /** Puts the key on the list of those in use. What is stored serves whether it is listed or not. */
  list(key: string): Promise<void> {
    return this.#list(key, 'add', this.#login(key));
  }

  /** The process that works on the credential, for `status`. Changes nothing. */
  async holder(
    key: string,
  ): Promise<{ readonly pid: number; readonly host: string; readonly heldForMs: number } | undefined> {
    const login = this.#login(key);
    await login.read();
    const { hold, reservation } = login.latest ?? {};
    const { now } = login.moment();
    const at =
      hold !== undefined && hold.until > now
        ? hold
        : reservation !== undefined && reservation.until > now
          ? reservation
          : undefined;
    if (at === undefined) return undefined;
    const since = 'since' in at ? at.since : now;
    return { pid: at.owner.pid, host: at.owner.host, heldForMs: Math.max(0, Math.round(now - since)) };
  }

  /** What the last look at the cell shows besides the credential. */
  lastLook(key: string): Pick<CredentialOverview, 'sealing' | 'epochAgeMs'> {
    const login = this.#login(key);
    const { keyId } = login.cell.latest ?? {};
    const { epoch } = login.latest ?? {};
    const now = login.moment();
    const isNoticed = epoch !== undefined && epoch.since > 0 && epoch.id === now.epoch;
    return {
      sealing: keyId === undefined ? undefined : { keyId, isFirst: keyId === this.#deps.codec.keyId },
      epochAgeMs: isNoticed ? Math.max(0, now.now - epoch.since) : undefined,
    };
  }

  /** Waits for changes that are not stored yet, or may not survive, for at most the store's grace period; then closes the connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock, timing, engine, logger } = this.#deps;
    const logins = [...this.#logins.values()];
    const deadline = clock.monotonic() + timing.closeGraceMs;
    const over = new AbortController();
    const unsaved = logins.filter(({ isUnsaved }) => isUnsaved);
    if (unsaved.length > 0) {
      const grace = clock.sleep(timing.closeGraceMs, over.signal).catch(() => {});
      await Promise.race([Promise.all(unsaved.map((login) => login.heal())), grace]);
      over.abort();
    }
    if (unsaved.some(({ isUnsaved }) => isUnsaved))
      logger.warn('an answer of the authorization server could not be stored: another sign-in may be needed');
    while (clock.monotonic() < Math.min(deadline, this.#unsettledUntil)) {
      // A replica may have become the primary meanwhile: what it lacks is put again.
      const looks = await Promise.allSettled(logins.map((login) => login.read()));
      const areThere = looks.every(({ status }) => status === 'fulfilled');
      if (areThere && (await engine.settled(timing.settledMs))) break;
      await clock.sleep(timing.retryMinMs);
    }
    this.#closing.abort();
    for (const login of logins) login.watch.stop();
    await engine.close();
  }

  async #withLock<T>(
    key: string,
    run: (locked: LockedRecord) => Promise<T>,
    { signal, onTurn }: LockOptions<T>,
    overwrite: boolean,
  ): Promise<T> {
    const { clock, random, ownership } = this.#deps;
    await ownership.ready();
    const login = this.#login(key);
    const deadline = clock.monotonic() + WAIT_MS;
    const me: Holder = { nonce: randomToken(random, 128), owner: ownership.owner };
    for (;;) {
      signal.throwIfAborted();
      const since = clock.monotonic();
      if (await this.#takeHold(login, me, overwrite)) return await this.#held(key, login, me, since, run);
      if (clock.monotonic() >= deadline) {
        throw new LockTimeoutError('another process has held the credential for too long', {
          hint: 'If a bridge or sign-in hangs or is suspended, end it; `status` names it.',
        });
      }
      const first = await onTurn?.();
      if (first !== undefined) return first;
      await login.watch.changed(signal);
      // Most waiting processes see the other's result, and no longer need the cell.
      const answer = await onTurn?.();
      if (answer !== undefined) return answer;
    }
  }

  async #takeHold(login: LoginCell, me: Holder, overwrite: boolean): Promise<boolean> {
    const { ownership, timing } = this.#deps;
    login.watch.looks();
    const { value } = await login.cell.look();
    const found = value?.hold;
    const liveness = found === undefined ? 'unknown' : await ownership.liveness(found.owner, found.nonce);
    ownership.hold(me.nonce);
    const { kind } = await login
      .change(
        (cell, moment) => {
          // What was found about another's process holds for that one only.
          const isFound = cell?.hold?.nonce === found?.nonce;
          return takeHold(cell, me, moment, timing, isFound ? liveness : 'unknown');
        },
        { tell: false, overwrite },
      )
      .catch((error: unknown) => {
        ownership.drop(me.nonce);
        throw error;
      });
    if (kind === 'refused') ownership.drop(me.nonce);
    return kind !== 'refused';
  }

  async #held<T>(
    key: string,
    login: LoginCell,
    me: Holder,
    since: number,
    run: (locked: LockedRecord) => Promise<T>,
  ): Promise<T> {
    const { clock, timing } = this.#deps;
    const held = new HeldLogin(me, since, {
      ...this.#deps,
      login,
      offset: () => this.offset,
      onKey: (what, isPersons) => this.#list(key, what, login, isPersons),
      unconfirmedForMs: () => this.#unconfirmedForMs(),
      onUnsettled: () => {
        this.#unsettledUntil = clock.monotonic() + timing.closeGraceMs;
        this.#deps.logger.debug('the engine cannot say that what was stored survives a failover');
      },
    });
    try {
      return await run(held.locked);
    } finally {
      await held.end();
    }
  }

  /** Each attempt of a refresh is six puts, and calls may come many times a second: while this server is not the primary, attempts become rarer. */
  async #unconfirmedForMs(): Promise<number | undefined> {
    const { engine, clock, random, timing } = this.#deps;
    const isPrimary = await engine.isPrimary(timing.primaryMs);
    const now = clock.monotonic();
    const longerMs = Math.max(timing.retryMinMs, this.#pause.ms * 2);
    const ms = isPrimary ? 0 : Math.min(timing.retryMaxMs, longerMs);
    this.#pause = { ms, until: now + ms * (0.5 + random.fraction() / 2) };
    this.#unconfirmedSince = isPrimary ? undefined : (this.#unconfirmedSince ?? now);
    return this.#unconfirmedSince === undefined ? undefined : now - this.#unconfirmedSince;
  }

  /** What is stored serves whether it is listed or not. */
  async #list(key: string, what: 'add' | 'remove', login: LoginCell, isPersons?: boolean): Promise<void> {
    try {
      await this.index.update(key, what, login.cell.latest?.epoch, isPersons);
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      this.#deps.logger.debug('the list of logins was not changed', { error: describeError(error) });
    }
  }

  #login(key: string): LoginCell {
    const found = this.#logins.get(key);
    if (found !== undefined) return found;
    const login = new LoginCell(key, this.cellDeps);
    this.#logins.set(key, login);
    return login;
  }
}
