/**
 * Where the bridge stands between its two sides, as a pure machine: an event in, the next state and the effects out.
 * `connection.ts` runs the effects.
 *
 * Order it keeps (specification, Lifecycle): the server answers `initialize` before anything else goes out, and has accepted
 * `notifications/initialized` before the next message.
 */
export interface Lifecycle {
  /** unopened → opening (`initialize` is out) → greeted (answered) → settling (`initialized` is out) → ready. */
  readonly server: 'unopened' | 'opening' | 'greeted' | 'settling' | 'ready';
  /** silent → asked (`initialize` came) → answered. */
  readonly host: 'silent' | 'asked' | 'answered';
  /** The host sent `notifications/initialized`; one that writes without waiting may do so before it is answered. */
  readonly initialized: boolean;
  /** The host's `initialize` was answered without the server, and the host has not been told of the difference yet. */
  readonly owesChanges: boolean;
  /** The server was ready before: a session that opens now replaces one that was lost. */
  readonly hadSession: boolean;
}

export type LifecycleEvent =
  | 'host-asked'
  | 'stand-in-due'
  | 'host-initialized'
  /** The server answered `initialize` with a result. */
  | 'greeted'
  /** The server accepted `notifications/initialized`. */
  | 'settled'
  /** This attempt to open is over for good; the reason travels beside the event. */
  | 'open-failed'
  | 'session-lost'
  /** A message of the host needs the server. */
  | 'wanted';

export type LifecycleEffect =
  | 'open'
  | 'arm-stand-in'
  | 'answer-by-stand-in'
  | 'relay-greeting'
  | 'relay-failure'
  | 'fail-waiting'
  | 'send-initialized'
  | 'restore'
  | 'listen'
  | 'release'
  | 'announce-changes';

export const initialLifecycle: Lifecycle = {
  server: 'unopened',
  host: 'silent',
  initialized: false,
  owesChanges: false,
  hadSession: false,
};

interface Step {
  readonly state: Lifecycle;
  readonly effects: readonly LifecycleEffect[];
}

export function nextLifecycle(state: Lifecycle, event: LifecycleEvent): Step {
  const unchanged: Step = { state, effects: [] };
  switch (event) {
    case 'host-asked':
      if (state.host !== 'silent') return unchanged;
      return { state: { ...state, host: 'asked', server: 'opening' }, effects: ['arm-stand-in', 'open'] };

    case 'stand-in-due':
      if (state.host !== 'asked') return unchanged;
      return { state: { ...state, host: 'answered', owesChanges: true }, effects: ['answer-by-stand-in'] };

    case 'host-initialized': {
      if (state.host === 'silent' || state.initialized) return unchanged;
      const settles = state.server === 'greeted' && state.host === 'answered';
      return {
        state: { ...state, initialized: true, server: settles ? 'settling' : state.server },
        effects: settles ? ['send-initialized'] : [],
      };
    }

    case 'greeted':
      if (state.server !== 'opening') return unchanged;
      return {
        state: { ...state, host: 'answered', server: state.initialized ? 'settling' : 'greeted' },
        effects: [
          ...(state.host === 'asked' ? (['relay-greeting'] as const) : []),
          ...(state.initialized ? (['send-initialized'] as const) : []),
        ],
      };

    case 'settled':
      if (state.server !== 'settling') return unchanged;
      return {
        state: { ...state, server: 'ready', hadSession: true, owesChanges: false },
        effects: [
          'listen',
          ...(state.hadSession || state.owesChanges ? (['restore'] as const) : []),
          'release',
          ...(state.owesChanges ? (['announce-changes'] as const) : []),
        ],
      };

    case 'open-failed':
      if (state.host === 'asked') {
        const asBefore = { ...state, host: 'silent', initialized: false, server: 'unopened' } as const;
        return { state: asBefore, effects: ['relay-failure', 'fail-waiting'] };
      }
      return { state: { ...state, server: 'unopened' }, effects: ['fail-waiting'] };

    case 'session-lost':
      if (state.server !== 'ready') return unchanged;
      return { state: { ...state, server: 'opening' }, effects: ['open'] };

    case 'wanted':
      if (state.server !== 'unopened' || state.host === 'silent') return unchanged;
      return { state: { ...state, server: 'opening' }, effects: ['open'] };
  }
}

/** Whether a message of the host may go out now. A host that never sends `initialized` is served all the same. */
export function mayRelay({ server, host, initialized }: Lifecycle): boolean {
  return server === 'ready' || (server === 'greeted' && host === 'answered' && !initialized);
}
