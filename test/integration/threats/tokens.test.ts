import { describe, expect, test } from 'vitest';
import { skippingClock } from '../../peers/net/fast-clock.ts';
import { refusal } from '../../peers/vendors/vendor.ts';
import { expectKept } from '../../peers/worlds/threats/expect-kept.ts';
import { deviceAnswer, ThreatWorld } from '../../peers/worlds/threats/threat-world.ts';

/** .github/SECURITY.md, attacks 25 and 26 end to end: what an authorization server may answer. The first row of each table is its control. */

const DEVICE = ['--grant', 'device_code'];
const call = { name: 'echo', arguments: {} };

describe.concurrent('SECURITY.md, attack 25: odd responses of the token endpoint', () => {
  const odd: [string, Record<string, unknown>, 'served' | RegExp][] = [
    ['nothing odd, as a control', {}, 'served'],
    ['a line break in the access token', { access_token: 'a\r\nX-Evil: 1' }, /access token/],
    ['a line break in the refresh token', { refresh_token: 'a\r\nX-Evil: 1' }, /refresh token/],
    ['an end beyond all dates', { expires_in: 1e99 }, 'served'],
    ['an end as text', { expires_in: '3600' }, 'served'],
    ['no end', { expires_in: undefined }, 'served'],
    ['an end before now', { expires_in: -1 }, 'served'],
    ['no access token', { access_token: undefined }, /access token/],
    ['no refresh token', { refresh_token: undefined }, 'served'],
    ['no type', { token_type: undefined }, 'served'],
    ['another type', { token_type: 'mac' }, /mac/],
    ['a list in place of a scope', { scope: ['a', 7] }, 'served'],
  ];
  test.each(odd)('at sign-in: %s', async (_, change, expected) => {
    await using world = await ThreatWorld.create((parties) => ({
      authority: {
        token: (form) =>
          form.get('grant_type') === 'authorization_code'
            ? parties.authority.issue(undefined, change)
            : undefined,
      },
    }));
    if (expected === 'served') expect(await world.bridge.tools()).toEqual(['echo']);
    else expect(await world.refusal()).toMatch(expected);
    const expiresAt = (await world.bridge.record())?.tokens?.expiresAt;
    if (expiresAt !== undefined) expect(new Date(expiresAt).getTime()).toBe(expiresAt);
    for (const { rawHeaders } of world.server.requests.entries) expect(rawHeaders).not.toContain('X-Evil');
    expectKept(world);
  });

  test.each(odd)('at a refresh: %s', async (_, change, expected) => {
    await using world = await ThreatWorld.create((parties) => ({
      authority: {
        token: (form) =>
          form.get('grant_type') === 'refresh_token' ? parties.authority.issue(undefined, change) : undefined,
      },
    }));
    expect(await world.bridge.tools()).toEqual(['echo']);
    const before = (await world.bridge.record())?.tokens?.refreshToken;
    world.authority.forgetAccessTokens();
    const { json } = await world.bridge.bridge.request(1, 'tools/call', call);
    if (expected === 'served') expect(json.result).toBeDefined();
    else expect(json.error.message).toMatch(expected);
    // What it did not give, or not in a usable form, leaves the old refresh token where it was.
    const after = (await world.bridge.record())?.tokens?.refreshToken;
    expect(after === before).toBe(expected !== 'served' || 'refresh_token' in change);
    expect(world.bridge.opened).toHaveLength(1);
    expectKept(world);
  });
});

test.concurrent.each([
  ['as a control: 5 s and ten minutes', { interval: 5, expires_in: 600 }],
  ['interval 0, forever', { interval: 0, expires_in: 1e99 }],
  ['interval −1, no end', { interval: -1, expires_in: undefined }],
  ['an interval that is no number', { interval: 'now', expires_in: 'never' }],
])('SECURITY.md, attack 26: a device code, %s: polls are bounded', async (_, change) => {
  const other = ({ path }: { path: string }, { origin }: { origin: string }) =>
    path === '/device' ? { body: { ...deviceAnswer(origin), ...change } } : undefined;
  const token = () => refusal('authorization_pending');
  const clock = skippingClock(5_000);
  await using world = await ThreatWorld.create(() => ({ authority: { other, token } }), DEVICE, { clock });
  const refused = await world.refusal();
  const polls = world.authority.tokenForms.length;
  expect(refused).toContain('not entered in time');
  expect(polls).toBeGreaterThan(1);
  // Fifteen minutes at most, and a poll in five seconds: the clock skips pauses of five seconds and no others.
  expect(polls).toBeLessThanOrEqual(180);
  expectKept(world);
});
