import { describe, expect, test } from 'vitest';
import {
  initialLifecycle,
  type Lifecycle,
  type LifecycleEvent,
  mayRelay,
  nextLifecycle,
} from '../../../../src/bridge/session/lifecycle.ts';

function after(...events: LifecycleEvent[]): Lifecycle {
  return events.reduce((state, event) => nextLifecycle(state, event).state, initialLifecycle);
}

const opened = ['initialize-received', 'initialize-answered', 'initialized-received'] as const;
const STATES = {
  initial: initialLifecycle,
  initializing: after('initialize-received'),
  'initialized before the answer': after('initialize-received', 'initialized-received'),
  answered: after('initialize-received', 'initialize-answered'),
  'initialized sent': after(...opened),
  ready: after(...opened, 'initialized-accepted'),
  lost: after(...opened, 'initialized-accepted', 'session-lost'),
  'stood in': after('initialize-received', 'stand-in-due'),
  'stood in and initialized': after('initialize-received', 'stand-in-due', 'initialized-received'),
  'stood in without a server': after('initialize-received', 'stand-in-due', 'open-failed'),
} as const;
type Name = keyof typeof STATES;
const NAMES = Object.keys(STATES) as Name[];

const FITS: Readonly<Record<Exclude<LifecycleEvent, 'open-failed'>, readonly Name[]>> = {
  'initialize-received': ['initial'],
  'stand-in-due': ['initializing', 'initialized before the answer'],
  'initialized-received': ['initializing', 'answered', 'stood in', 'stood in without a server'],
  'initialize-answered': [
    'initializing',
    'initialized before the answer',
    'lost',
    'stood in',
    'stood in and initialized',
  ],
  'initialized-accepted': ['initialized sent'],
  'session-lost': ['ready'],
  'message-waiting': ['stood in without a server'],
};

describe.each(Object.entries(FITS) as [LifecycleEvent, readonly Name[]][])('%s', (event, fits) => {
  test.each(NAMES.filter((name) => !fits.includes(name)))('does nothing in the state %s', (name) => {
    expect(nextLifecycle(STATES[name], event)).toEqual({ state: STATES[name], effects: [] });
  });

  test.each(fits)('moves the state %s', (name) => {
    expect(nextLifecycle(STATES[name], event).state).not.toEqual(STATES[name]);
  });
});

test('nothing is sent for initialized before the server has answered initialize', () => {
  for (const name of ['initializing', 'stood in', 'stood in without a server'] as const) {
    const { state, effects } = nextLifecycle(STATES[name], 'initialized-received');
    expect({ state, effects }).toEqual({
      state: { ...STATES[name], initializedReceived: true },
      effects: [],
    });
  }
});

test('the first session, and the restart after a refusal, restore nothing', () => {
  expect(initialLifecycle).toEqual({
    server: 'not-opened',
    host: 'not-initialized',
    initializedReceived: false,
    owesChanges: false,
  });
  expect(after('initialize-received', 'initialized-received', 'open-failed')).toEqual(initialLifecycle);
});

test('what remains after a session fails to reopen', () => {
  const { state, effects } = nextLifecycle(STATES.lost, 'open-failed');
  expect({ state, effects }).toEqual({
    state: { ...STATES.lost, server: 'not-opened' },
    effects: ['fail-waiting'],
  });
  expect(after('initialize-received', 'stand-in-due', 'open-failed', 'message-waiting')).toEqual(
    STATES['stood in'],
  );
});

test.each(NAMES)('whether a message may go out in the state %s', (name) => {
  expect(mayRelay(STATES[name])).toBe(name === 'answered' || name === 'ready');
});

test('serves nothing to a host that is not initialized, whatever the server has answered', () => {
  expect(mayRelay({ ...STATES.answered, host: 'initializing' })).toBe(false);
});

test('counts a host answered by the stand-in as initialized, and owes it the changes', () => {
  expect(STATES['stood in']).toEqual({
    server: 'initializing',
    host: 'initialized',
    initializedReceived: false,
    owesChanges: true,
  });
});

test('only stores initialized from a host that has no answer yet', () => {
  const state = { ...STATES.answered, host: 'initializing' } as const;
  expect(nextLifecycle(state, 'initialized-received')).toEqual({
    state: { ...state, initializedReceived: true },
    effects: [],
  });
});
