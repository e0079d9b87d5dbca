import { expect, test } from 'vitest';
import { ANSWERS, badAnswer } from '../../storm/answers.ts';

// The black hole takes the 30 s of a token request each time: `npm run storm`.
const brief = Object.entries(ANSWERS).filter(([name]) => name !== 'black hole');

// Side by side: most of each is waiting for a back-off.
test.concurrent.each(brief)(
  'a refresh answered with %s: the token works to its end, then an error says why, then it recovers; no browser',
  async (_, [fault, told]) => {
    const figures = await badAnswer(fault, 3);
    expect(figures).toMatchObject({ before: 'served', after: 'served', refreshTokenKept: true });
    expect(figures).toMatchObject({ tabs: 0, replays: 0 });
    expect(figures.told).toMatch(/^Could not refresh the credential/);
    expect(figures.told).toMatch(told);
  },
);
