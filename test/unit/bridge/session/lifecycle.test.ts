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

const ready = play([
  'initialize-received',
  'initialize-answered',
  'initialized-received',
  'initialized-accepted',
]).state;

describe('the usual start', () => {
  it('sends nothing before initialized was accepted', () => {
    const seen = (
      ['initialize-received', 'initialize-answered', 'initialized-received', 'initialized-accepted'] as const
    ).map((_, index, all) => mayRelay(play(all.slice(0, index + 1)).state));
    expect(seen).toEqual([false, true, false, true]);
  });

  it('relays the answer to initialize, sends initialized, listens, releases waiting messages', () => {
    expect(
      play(['initialize-received', 'initialize-answered', 'initialized-received', 'initialized-accepted'])
        .effects,
    ).toEqual([
      ['arm-stand-in', 'open'],
      ['relay-initialize-result'],
      ['send-initialized'],
      ['listen', 'release-waiting'],
    ]);
  });

  it('sends initialized after the answer to initialize if the host did not wait for it', () => {
    const { effects, state } = play(['initialize-received', 'initialized-received', 'initialize-answered']);
    expect(effects).toEqual([['arm-stand-in', 'open'], [], ['relay-initialize-result', 'send-initialized']]);
    expect(mayRelay(state)).toBe(false);
  });

  it('relays for a host that never sends initialized', () => {
    expect(mayRelay(play(['initialize-received', 'initialize-answered']).state)).toBe(true);
  });
});

describe('standing in', () => {
  it("answers once, and does not relay the server's own answer", () => {
    const { effects } = play([
      'initialize-received',
      'stand-in-due',
      'initialized-received',
      'initialize-answered',
    ]);
    expect(effects.slice(1)).toEqual([['answer-by-stand-in'], [], ['send-initialized']]);
  });

  it('notifies the host of changes when the server is there, or there again', () => {
    const stoodIn = play([
      'initialize-received',
      'stand-in-due',
      'initialized-received',
      'initialize-answered',
      'initialized-accepted',
    ]);
    expect(stoodIn.last).toEqual(['listen', 'restore', 'release-waiting', 'announce-changes']);
    expect(play(['session-lost', 'initialize-answered', 'initialized-accepted'], stoodIn.state).last).toEqual(
      ['listen', 'restore', 'release-waiting', 'announce-changes'],
    );
  });

  it('does not stand in if the server was quick enough', () => {
    expect(play(['initialize-received', 'initialize-answered', 'stand-in-due']).last).toEqual([]);
  });
});

describe('failure and loss', () => {
  it('relays an error for initialize, and lets the host try again', () => {
    const { last, state } = play(['initialize-received', 'open-failed']);
    expect(last).toEqual(['relay-initialize-error', 'fail-waiting']);
    expect(play(['initialize-received'], state).last).toEqual(['arm-stand-in', 'open']);
  });

  it('reopens when a message is waiting, and not by itself', () => {
    const { last, state } = play(['initialize-received', 'stand-in-due', 'open-failed']);
    expect(last).toEqual(['fail-waiting']);
    expect(play(['message-waiting'], state).last).toEqual(['open']);
    expect(play(['message-waiting', 'message-waiting'], state).last).toEqual([]);
  });

  it('opens one new session however often the loss is reported, and restores it', () => {
    expect(
      play(['session-lost', 'session-lost', 'initialize-answered', 'initialized-accepted'], ready).effects,
    ).toEqual([
      ['open'],
      [],
      ['send-initialized'],
      ['listen', 'restore', 'release-waiting', 'announce-changes'],
    ]);
  });

  it.each([
    'initialize-answered',
    'initialized-accepted',
    'stand-in-due',
    'message-waiting',
    'initialize-received',
    'initialized-received',
  ] as const)('ignores %s when it is ready', (event) => {
    expect(nextLifecycle(ready, event)).toEqual({ state: ready, effects: [] });
  });
});
