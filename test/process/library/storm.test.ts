import { expect, test } from 'vitest';
import { programStorm } from '../../storm/programs.ts';

// The same at full size: `npm run storm -- --only programs`.
test('3 programs, 2 bridges and a command on one login, 6 lapses: 6 refreshes, no replay, no sign-in', async () => {
  const figures = await programStorm({
    programs: ['sdk1-http', 'sdk2-provider', 'ai-sdk'],
    bridges: 2,
    commands: 1,
    lapses: 6,
  });
  expect(figures).toMatchObject({ refreshPosts: 6, replays: 0, signIns: 0, tabs: 0, failed: [] });
  expect(figures.tookMs).toHaveLength(36);
});
