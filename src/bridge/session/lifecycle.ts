/**
 * How far the host and the server have got with opening the session, as a pure state machine: an event in, the next state and the effects out.
 * `session.ts` runs the effects.
 *
 * It keeps the order of the specification (2025-11-25, Lifecycle): nothing but `initialize` goes to the server before the server has answered
 * it, and no further message before the server has accepted `notifications/initialized`.
 */
export interface Lifecycle {
  /** The server's side. `initializing`: `initialize` is out; `initialized-sent`: `notifications/initialized` is out; `ready`: it was accepted. */
  readonly server: 'not-opened' | 'initializing' | 'initialize-answered' | 'initialized-sent' | 'ready';
  /** The host's side. `initializing`: its `initialize` came; `initialized`: it was answered, by the server or by the stand-in. */
  readonly host: 'not-initialized' | 'initializing' | 'initialized';
  /** The host sent `notifications/initialized`. A host that writes without waiting may do so before its `initialize` is answered. */
  readonly initializedReceived: boolean;
  /** The host was served before the session that opens now, by the stand-in or in a lost session: it has to be notified of changes. */
  readonly owesChanges: boolean;
}

export type LifecycleEvent =
  | 'initialize-received'
  | 'stand-in-due'
  | 'initialized-received'
  /** The server answered `initialize` with a result. */
  | 'initialize-answered'
  /** The server accepted `notifications/initialized`. */
  | 'initialized-accepted'
  /** This attempt to open a session has failed for good; `Session` keeps the reason. */
  | 'open-failed'
  | 'session-lost'
  /** A message of the host needs the server. */
  | 'message-waiting';

export type LifecycleEffect =
  | 'open'
  | 'arm-stand-in'
  | 'answer-by-stand-in'
  | 'relay-initialize-result'
  | 'relay-initialize-error'
  | 'fail-waiting'
  | 'send-initialized'
  | 'restore'
  | 'listen'
  | 'release-waiting'
  | 'announce-changes';

export const initialLifecycle: Lifecycle = {
  server: 'not-opened',
  host: 'not-initialized',
  initializedReceived: false,
  owesChanges: false,
};

interface Step {
  readonly state: Lifecycle;
  readonly effects: readonly LifecycleEffect[];
}

/** The state after `event`, and the effects, in order. An event that does not fit the state changes nothing. */
export function nextLifecycle(state: Lifecycle, event: LifecycleEvent): Step {
  const unchanged: Step = { state, effects: [] };
  switch (event) {
    case 'initialize-received':
      if (state.host !== 'not-initialized') return unchanged;
      return {
        state: { ...state, host: 'initializing', server: 'initializing' },
        effects: ['arm-stand-in', 'open'],
      };

    case 'stand-in-due':
      if (state.host !== 'initializing') return unchanged;
      return { state: { ...state, host: 'initialized', owesChanges: true }, effects: ['answer-by-stand-in'] };

    case 'initialized-received': {
      if (state.host === 'not-initialized' || state.initializedReceived) return unchanged;
      const settles = state.server === 'initialize-answered' && state.host === 'initialized';
      return {
        state: { ...state, initializedReceived: true, server: settles ? 'initialized-sent' : state.server },
        effects: settles ? ['send-initialized'] : [],
      };
    }

    case 'initialize-answered':
      if (state.server !== 'initializing') return unchanged;
      return {
        state: {
          ...state,
          host: 'initialized',
          server: state.initializedReceived ? 'initialized-sent' : 'initialize-answered',
        },
        effects: [
          ...(state.host === 'initializing' ? (['relay-initialize-result'] as const) : []),
          ...(state.initializedReceived ? (['send-initialized'] as const) : []),
        ],
      };

    case 'initialized-accepted':
      if (state.server !== 'initialized-sent') return unchanged;
      return {
        state: { ...state, server: 'ready', owesChanges: true },
        effects: [
          'listen',
          ...(state.owesChanges ? (['restore'] as const) : []),
          'release-waiting',
          // While a session was lost, lists may have been answered without the server, too.
          ...(state.owesChanges ? (['announce-changes'] as const) : []),
        ],
      };

    case 'open-failed':
      if (state.host === 'initializing') {
        const asBefore = {
          ...state,
          host: 'not-initialized',
          initializedReceived: false,
          server: 'not-opened',
        } as const;
        return { state: asBefore, effects: ['relay-initialize-error', 'fail-waiting'] };
      }
      return { state: { ...state, server: 'not-opened' }, effects: ['fail-waiting'] };

    case 'session-lost':
      if (state.server !== 'ready') return unchanged;
      return { state: { ...state, server: 'initializing' }, effects: ['open'] };

    case 'message-waiting':
      if (state.server !== 'not-opened' || state.host === 'not-initialized') return unchanged;
      return { state: { ...state, server: 'initializing' }, effects: ['open'] };
  }
}

/** Whether a message of the host may go out now. A host that never sends `initialized` is served all the same. */
export function mayRelay({ server, host, initializedReceived }: Lifecycle): boolean {
  return (
    server === 'ready' || (server === 'initialize-answered' && host === 'initialized' && !initializedReceived)
  );
}
