/** One place of the program's text, and its replacement. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const DECISIONS = 'src/store/shared/protocol/decisions.ts';
const HELD = 'src/store/shared/held-login.ts';
const CELL = 'src/store/shared/engine-cell.ts';
const LOGIN = 'src/store/shared/login-cell.ts';
const TIMING = 'src/store/shared/protocol/timing.ts';
const ENGINE = 'src/store/shared/engine.ts';

/** What the protocol would be without one of its parts. */
export const WITHOUT: Readonly<Record<string, readonly Change[]>> = {
  /** Nobody puts again what the engine has lost. */
  repair: [
    {
      file: DECISIONS,
      from: 'if (known === undefined || compareRanks(known.rank, cell?.state?.rank) <= 0) return AS_IS;',
      to: 'if (true || known === undefined) return AS_IS;',
    },
  ],
  /** Those who know better are not told that somebody has put again what was lost. */
  'told-repair': [
    {
      file: LOGIN,
      from: 'const isRepaired = up.kind',
      to: 'const isRepaired = false && up.kind',
    },
  ],
  /** After a failover, the time of a reservation is taken to be by the new server's clock. */
  'new-clock': [
    { file: DECISIONS, from: "...(reservation?.state === 'maybe' ?", to: '...(false && reservation ?' },
  ],
  /** An answer of the engine that waited for a suspended process is taken to be of now. */
  'old-answers': [{ file: CELL, from: 'at - asked.at > MAX_ANSWER_MS', to: 'false' }],
  /** The numbers of values begin with 1 again when the engine was emptied. */
  numbers: [
    {
      file: ENGINE,
      from: 'return seq === 0 ? Math.max(1, Math.floor(engineNow)) : seq + 1;',
      to: 'void engineNow; return seq + 1;',
    },
  ],
  /** What is read for a put is remembered once the put was taken. */
  heard: [{ file: LOGIN, from: 'this.#known = laterState(found?.state, this.#known);', to: '' }],
  /** A token that expired long ago is sent whether the primary is confirmed or not. */
  'two-minutes': [
    { file: DECISIONS, from: 'Math.min(now - expiresAt, unconfirmedForMs) >=', to: 'now - expiresAt >=' },
  ],
  /** A sign-in that is put once more, for no answer came, is another login. */
  'same-login': [{ file: HELD, from: 'moment, attempts.get(record))', to: 'moment, undefined)' }],
  /** A token is reserved right after a failover. */
  quarantine: [{ file: TIMING, from: 'quarantineMs: 45_000', to: 'quarantineMs: 0' }],
  /** A token that may be spent is tried again soon. */
  patience: [{ file: TIMING, from: 'spentMs: 120_000', to: 'spentMs: 1_000' }],
  /** Nobody asks whether the others see the same primary. */
  'is-primary': [
    {
      file: DECISIONS,
      from: 'if (unconfirmedForMs === undefined) return true;',
      to: 'if (now >= 0) return true;',
    },
  ],
  /** It is asked, of whatever server the connection leads to by then. */
  'same-server': [
    {
      file: HELD,
      from: 'if (after.epoch !== look.epoch || after.value?.reservation?.nonce !== this.#me.nonce) return false;',
      to: 'void after;',
    },
  ],
  /** A process that was suspended before it sends the token sends it all the same. */
  'send-window': [
    { file: TIMING, from: 'sendWindowMs: 5_000', to: 'sendWindowMs: 1e12' },
    { file: CELL, from: 'at - asked.at > MAX_ANSWER_MS', to: 'false' },
  ],
  /** An answer that the engine did not take is forgotten. */
  keeping: [{ file: HELD, from: 'login.keep(answer);', to: '' }],
  /** A login that was removed leaves nothing behind. */
  tombstone: [
    {
      file: DECISIONS,
      from: "state: { content: { kind: 'removed', family }, rank: nextLogin(cell.state.rank, moment.now) },",
      to: 'state: family === undefined ? cell.state : undefined,',
    },
  ],
};
