import { type Fault, faults } from '../peers/faults/faults.ts';
import { StormWorld } from './world.ts';

/** What a token endpoint may do to a refresh, and what a host is told of it. */
export const ANSWERS: Readonly<Record<string, readonly [fault: Fault, told: RegExp]>> = {
  '503': [faults.unavailable, /status 503/],
  '429 with Retry-After': [faults.tooMany('2'), /too_many_requests|status 429/],
  reset: [faults.reset, /no answer/],
  '504 of a gateway': [faults.gatewayTimeout, /status 504/],
  HTML: [faults.html, /status 200/],
  nonsense: [faults.nonsense, /status 200/],
  'black hole': [faults.blackHole, /no answer/],
};

export interface AnswerFigures {
  /** How the calls ended: with the old token while the server took it, after its end, and once the endpoint was well again. */
  readonly before: string;
  readonly told: string;
  readonly after: string;
  readonly refreshTokenKept: boolean;
  readonly tabs: number;
  readonly replays: number;
  readonly healedAfterMs: number;
}

const HEAL_MS = 20_000;
const TURN_MS = 250;

/** test/README.md, fault 19: a token endpoint that fails so often in a row, at the end of an access token's life. */
export async function badAnswer(fault: Fault, attempts: number): Promise<AnswerFigures> {
  await using world = await StormWorld.create();
  const { authority, browser } = world;
  const login = await world.signIn();
  await world.expire('default', login);
  authority.failRefresh(fault);
  const instance = world.start();
  const before = await instance.call();
  authority.tokens.revokeAll();
  let told = await instance.call();
  // Each attempt is a request of its own, at the pace of the back-off: calls in between end at once.
  while (told.kind === 'failed' && authority.counters.refreshPosts < attempts) {
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    told = await instance.call();
  }
  const kept = await world.record();
  authority.heal();
  const healingFrom = performance.now();
  let after = await instance.call();
  while (after.kind !== 'served' && performance.now() - healingFrom < HEAL_MS) {
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    after = await instance.call();
  }
  return {
    before: before.kind,
    told: told.kind === 'failed' ? told.why : told.kind,
    after: after.kind,
    refreshTokenKept:
      kept?.tokens?.refreshToken === login.tokens?.refreshToken && !kept?.deadRefreshTokenHash,
    tabs: browser.opened.length,
    replays: authority.counters.replays,
    healedAfterMs: performance.now() - healingFrom,
  };
}
