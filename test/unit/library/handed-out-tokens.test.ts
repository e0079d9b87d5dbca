import { describe, expect, it } from 'vitest';
import { HandedOutTokens } from '../../../src/library/fetch/handed-out-tokens.ts';

const bearer = (token: string) => ({ token });
const [FIRST, SECOND] = [bearer('first'), bearer('second')];

/** As the SDK does after a report: it asks for a token and sends the request again. */
function again(tokens: HandedOutTokens, next = SECOND, now = 0): void {
  tokens.answered();
  tokens.handOut(next, now);
}

describe('which token a reported 401 is about', () => {
  it('the one handed out', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(FIRST, 0);
    expect(tokens.reported(0)).toEqual({ kind: 'refused', bearer: FIRST, worked: true });
  });

  it('none, if there was none', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(undefined, 0);
    expect(tokens.reported(0)).toMatchObject({ kind: 'refused', bearer: undefined });
  });

  it('an earlier one, while only retried requests have the new one', () => {
    const tokens = new HandedOutTokens();
    for (let request = 0; request < 3; request++) tokens.handOut(FIRST, 0);
    expect(tokens.reported(0)).toMatchObject({ bearer: FIRST });
    again(tokens);
    expect(tokens.reported(1)).toEqual({ kind: 'replaced' });
    again(tokens);
    expect(tokens.reported(2)).toEqual({ kind: 'replaced' });
    again(tokens);
    tokens.handOut(SECOND, 3);
    expect(tokens.reported(4)).toMatchObject({ kind: 'refused', bearer: SECOND });
  });

  it('the new one, after the time limit for late answers', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(FIRST, 0);
    tokens.reported(0);
    again(tokens);
    expect(tokens.reported(9_999)).toEqual({ kind: 'replaced' });
    expect(tokens.reported(10_000)).toMatchObject({ kind: 'refused', bearer: SECOND });
  });
});

describe('whether the server has accepted a token', () => {
  /** A request that is refused, and sent again with another token. */
  const lapse = (tokens: HandedOutTokens, at: number) => {
    const refusal = tokens.reported(0);
    again(tokens, bearer(`token ${at}`));
    tokens.handOut(bearer(`token ${at}`), 0);
    return refusal;
  };

  it('is assumed three times, so that a server that refuses every token is detected', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(FIRST, 0);
    const refusals = [1, 2, 3, 4].map((at) => lapse(tokens, at));
    expect(refusals.map((refusal) => refusal.kind === 'refused' && refusal.worked)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('is assumed as often if several requests report the same token', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(FIRST, 0);
    for (let request = 0; request < 5; request++) {
      expect(tokens.reported(0)).toMatchObject({ bearer: FIRST, worked: true });
    }
  });

  it('is proved by another request with the same one', () => {
    const tokens = new HandedOutTokens();
    tokens.handOut(FIRST, 0);
    for (let at = 1; at < 10; at++) {
      expect(lapse(tokens, at)).toMatchObject({ kind: 'refused', worked: true });
      tokens.handOut(bearer(`token ${at}`), 0);
    }
  });
});
