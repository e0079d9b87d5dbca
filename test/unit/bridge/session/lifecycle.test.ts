import { describe, expect, it } from 'vitest';
import {
  initialLifecycle,
  type Lifecycle,
  type LifecycleEffect,
  type LifecycleEvent,
  mayRelay,
  nextLifecycle,
} from '../../../../src/bridge/session/lifecycle.ts';

/** Runs events through the machine; what each of them brought about. */
function play(events: readonly LifecycleEvent[], from: Lifecycle = initialLifecycle) {
  const effects: LifecycleEffect[][] = [];
  let state = from;
  for (const event of events) {
    const step = nextLifecycle(state, event);
    state = step.state;
    effects.push([...step.effects]);
  }
  return { state, effects, last: effects.at(-1) };
}

const ready = play(['host-asked', 'greeted', 'host-initialized', 'settled']).state;

describe('the usual start', () => {
  it('lets nothing out before initialized was accepted', () => {
    const seen = (['host-asked', 'greeted', 'host-initialized', 'settled'] as const).map((_, index, all) =>
      mayRelay(play(all.slice(0, index + 1)).state),
    );
    expect(seen).toEqual([false, true, false, true]);
  });

  it('relays the greeting, sends initialized, listens, releases what waits', () => {
    expect(play(['host-asked', 'greeted', 'host-initialized', 'settled']).effects).toEqual([
      ['arm-stand-in', 'open'],
      ['relay-greeting'],
      ['send-initialized'],
      ['listen', 'release'],
    ]);
  });

  it('sends initialized after the greeting where the host did not wait for it', () => {
    const { effects, state } = play(['host-asked', 'host-initialized', 'greeted']);
    expect(effects).toEqual([['arm-stand-in', 'open'], [], ['relay-greeting', 'send-initialized']]);
    expect(mayRelay(state)).toBe(false);
  });

  it('relays for a host that never sends initialized', () => {
    expect(mayRelay(play(['host-asked', 'greeted']).state)).toBe(true);
  });
});

describe('standing in', () => {
  it('answers once, and never again with the server’s own greeting', () => {
    const { effects } = play(['host-asked', 'stand-in-due', 'host-initialized', 'greeted']);
    expect(effects.slice(1)).toEqual([['answer-by-stand-in'], [], ['send-initialized']]);
  });

  it('tells the host of changes when the server is there, once', () => {
    const stoodIn = play(['host-asked', 'stand-in-due', 'host-initialized', 'greeted', 'settled']);
    expect(stoodIn.last).toEqual(['listen', 'restore', 'release', 'announce-changes']);
    expect(play(['session-lost', 'greeted', 'settled'], stoodIn.state).last).toEqual([
      'listen',
      'restore',
      'release',
    ]);
  });

  it('does not stand in where the server was quick enough', () => {
    expect(play(['host-asked', 'greeted', 'stand-in-due']).last).toEqual([]);
  });
});

describe('failure and loss', () => {
  it('relays a refusal of initialize, and lets the host try again', () => {
    const { last, state } = play(['host-asked', 'open-failed']);
    expect(last).toEqual(['relay-failure', 'fail-waiting']);
    expect(play(['host-asked'], state).last).toEqual(['arm-stand-in', 'open']);
  });

  it('opens again when something is wanted, and not by itself', () => {
    const { last, state } = play(['host-asked', 'stand-in-due', 'open-failed']);
    expect(last).toEqual(['fail-waiting']);
    expect(play(['wanted'], state).last).toEqual(['open']);
    expect(play(['wanted', 'wanted'], state).last).toEqual([]);
  });

  it('opens one new session however many say that it is lost, and restores it', () => {
    expect(play(['session-lost', 'session-lost', 'greeted', 'settled'], ready).effects).toEqual([
      ['open'],
      [],
      ['send-initialized'],
      ['listen', 'restore', 'release'],
    ]);
  });

  it.each(['greeted', 'settled', 'stand-in-due', 'wanted', 'host-asked', 'host-initialized'] as const)(
    'is not moved by %s when it is ready',
    (event) => {
      expect(nextLifecycle(ready, event)).toEqual({ state: ready, effects: [] });
    },
  );
});
