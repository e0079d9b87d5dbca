import { expect, test } from 'vitest';
import { SignInFollower } from '../../../../src/auth/sign-in/follow.ts';
import type { Leases, SignInStatus } from '../../../../src/store/lease/lease.ts';
import { testPlatform } from '../../../peers/hosts/test-platform.ts';
import { Journal } from '../../../peers/net/journal.ts';
import { createSignInWorld } from '../../../peers/worlds/sign-in-world.ts';

const FIRST = 'https://as.example/first';
const SECOND = 'https://as.example/second';

function statusOf(nonce: string, part: Partial<SignInStatus>): SignInStatus {
  const startedAt = Date.now();
  return { phase: 'pending', nonce, pid: process.pid, startedAt, deadline: startedAt + 60_000, ...part };
}

test.each(['by this process', 'by another process'])(
  'a sign-in is killed and another one started %s: the address of the first is offered no more',
  async (starter) => {
    await using world = await createSignInWorld();
    const { key, leases } = world;
    const looks = new Journal<SignInStatus | undefined>();
    let gap: Promise<void> = Promise.resolve();
    const watched: Leases = {
      ...leases,
      holder: async (of, now) => {
        await gap;
        return leases.holder(of, now);
      },
      readStatus: async (of) => {
        const status = await leases.readStatus(of);
        looks.add(status);
        return status;
      },
    };
    /** Resolves when the follower has come to a status and looked once more after it. */
    const taken = async (matches: (status: SignInStatus) => boolean) => {
      await looks.waitFor((status) => status !== undefined && matches(status));
      const from = looks.entries.length;
      await looks.until(() => looks.entries.length > from);
    };
    const first = await world.takeLease();
    const opened = statusOf(first, { address: FIRST, browserOpenedAt: Date.now() });
    await leases.writeStatus(key, opened);
    const stop = new AbortController();
    let second = '';
    const begin = async () => {
      second = await world.takeLease();
      // Nothing is known of it yet but that it has begun.
      await leases.writeStatus(key, statusOf(second, { phase: 'starting' }));
    };
    const follower = new SignInFollower(
      {
        leases: watched,
        key,
        clock: testPlatform({}).clock,
        usable: async () => undefined,
        onRecord: () => ({ token: '' }),
      },
      first,
      stop.signal,
      async () => {
        await begin();
        return { kind: 'started', nonce: second };
      },
    );
    await taken(({ nonce }) => nonce === first);
    expect([follower.address, follower.browserOpened]).toEqual([FIRST, true]);
    if (starter === 'by another process') {
      // That one takes the lease before this one can look.
      gap = leases.release(key, first).then(begin);
      await gap;
    } else await leases.release(key, first);
    await taken(({ phase }) => phase === 'starting');
    expect(follower.address).toBeUndefined();
    await leases.writeStatus(key, statusOf(second, { address: SECOND, browserOpenedAt: Date.now() + 1 }));
    await taken(({ address }) => address === SECOND);
    expect([follower.address, follower.browserOpened]).toEqual([SECOND, true]);
    stop.abort(new Error('the test has ended'));
    await expect(follower.done).rejects.toThrow('the test has ended');
  },
);
