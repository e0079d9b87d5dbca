import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SILENT_OWNER_MS } from '../../../../src/auth/refresh/decisions.ts';
import { LOOK_AGAIN, refreshUnderLock } from '../../../../src/auth/refresh/refresh-credential.ts';
import { ReservationWatch } from '../../../../src/auth/refresh/reservation-watch.ts';
import { systemClock } from '../../../../src/platform/clock.ts';
import { silentLogger } from '../../../../src/platform/log/logger.ts';
import { currentOwner } from '../../../../src/platform/process/process-identity.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import { openStore } from '../../../../src/store/open-store.ts';
import type { LockedRecord } from '../../../../src/store/port/store.ts';
import { tokenHash } from '../../../../src/store/record/key.ts';
import { expiredLogin } from '../../../peers/processes/credentials.ts';
import {
  buildStoreWorker,
  type StoreWorker,
  type WorkerTask,
} from '../../../peers/processes/store-workers.ts';
import { hasProcessNamespaces } from '../../../peers/processes/tools.ts';
import { KEY, RefreshWorld } from '../../../peers/worlds/refresh-world.ts';

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-containers-'));
  program = await buildStoreWorker(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const refresh = ({ home, server }: RefreshWorld, rest: object = {}) =>
  ({ do: 'refresh', home, key: KEY, server, staleToken: 'A0', ...rest }) as WorkerTask;

/** One process in a container of its own, one here; and the end of the first, in the middle of a refresh. */
async function twoPlaces(world: RefreshWorld): Promise<[owner: StoreWorker, other: StoreWorker]> {
  return Promise.all([world.worker({ container: true }), world.worker()]);
}

/** The access token serves for another minute, and is due to be replaced. */
async function makeDue(world: RefreshWorld): Promise<void> {
  const store = await openStore({ home: world.home, logger: silentLogger });
  const login = expiredLogin(world.endpoint.address, 'R0');
  const times = { obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() + 60_000 };
  await store.write(KEY, { ...login, tokens: { ...login.tokens, ...times } as never }, 'any');
}

/** The endpoint has rotated, and its answer is under way until the test lets it go. */
function holdAnswer({ endpoint }: RefreshWorld): { rotated: Promise<void>; answer: () => void } {
  let answer: () => void = () => {};
  const rotated = new Promise<void>((reached) => {
    endpoint.beforeAnswer = () => {
      endpoint.beforeAnswer = async () => {};
      reached();
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
  });
  return { rotated, answer: () => answer() };
}

const ended = (worker: StoreWorker) => new Promise((resolve) => worker.child.once('close', resolve));

test.skipIf(!hasProcessNamespaces()).concurrent(
  'killed in a container before the token was sent: the next process continues after some seconds, with one request',
  async () => {
    await using world = await RefreshWorld.create(program);
    const [owner, other] = await twoPlaces(world);
    const held = owner.run(refresh(world, { suspended: true }));
    await owner.suspended();
    const gone = ended(owner);
    owner.child.kill('SIGKILL');
    await gone;
    await held;
    await world.lockGoesStale();
    expect(await other.run(refresh(world))).toEqual({ accessToken: 'A1' });
    expect(world.endpoint.posts.entries.map(({ outcome }) => outcome)).toEqual(['rotated']);
    expect(await readdir(world.credentials)).toEqual([`${KEY}.json`]);
  },
  60_000,
);

test.skipIf(!hasProcessNamespaces()).concurrent(
  'killed in a container after the token was sent: a lost response, not sent again while the access token works',
  async () => {
    await using world = await RefreshWorld.create(program);
    world.endpoint.grace = true;
    await makeDue(world);
    const [owner, other] = await twoPlaces(world);
    const { rotated } = holdAnswer(world);
    const held = owner.run(refresh(world, { due: true }));
    await rotated;
    const gone = ended(owner);
    owner.child.kill('SIGKILL');
    await gone;
    await held;
    await world.lockGoesStale();
    const answer = await other.run(refresh(world, { due: true }));
    expect(answer).toMatchObject({ failed: expect.stringContaining('no answer') });
    expect(world.endpoint.posts.entries).toHaveLength(1);
    // Once the server refuses the access token, the refresh token is sent a second time, as after any lost answer.
    expect(await other.run(refresh(world))).toEqual({ accessToken: 'A2' });
    expect(world.endpoint.posts.entries).toHaveLength(2);
  },
  60_000,
);

test.skipIf(!hasProcessNamespaces()).concurrent(
  'alive in a container while its server takes longer than the tolerated silence: others wait for it',
  async () => {
    await using world = await RefreshWorld.create(program);
    const [owner, other] = await twoPlaces(world);
    const { rotated, answer } = holdAnswer(world);
    const first = owner.run(refresh(world));
    await rotated;
    await world.lockGoesStale();
    const second = other.run(refresh(world));
    await new Promise((resolve) => setTimeout(resolve, SILENT_OWNER_MS + 4_000));
    expect(world.endpoint.posts.entries).toHaveLength(1);
    answer();
    expect(await first).toEqual({ accessToken: 'A1' });
    expect(await second).toEqual({ accessToken: 'A1' });
    expect(world.endpoint.posts.entries).toHaveLength(1);
  },
  60_000,
);

test.skipIf(!hasProcessNamespaces()).concurrent(
  'suspended in a container and presumed dead: sends nothing when it resumes, and uses the newer token',
  async () => {
    await using world = await RefreshWorld.create(program);
    const [owner, other] = await twoPlaces(world);
    const first = owner.run(refresh(world, { suspended: true }));
    await owner.suspended();
    await world.lockGoesStale();
    expect(await other.run(refresh(world))).toEqual({ accessToken: 'A1' });
    process.kill(await owner.pid(), 'SIGCONT');
    expect(await first).toEqual({ accessToken: 'A1' });
    expect(world.endpoint.posts.entries.map(({ outcome }) => outcome)).toEqual(['rotated']);
    await expect.poll(() => readdir(world.credentials)).toEqual([`${KEY}.json`]);
  },
  60_000,
);

/** A claim as another version, or another machine, has left it on the token of this login. */
async function leaveClaim(world: RefreshWorld, claim: object, ageMs: number): Promise<void> {
  const path = join(world.credentials, `${KEY}.${tokenHash('R0')}.1.claim`);
  await writeFile(path, JSON.stringify({ nonce: 'n', ...claim }), { mode: 0o600 });
  const at = new Date(Date.now() - ageMs);
  await utimes(path, at, at);
}

test.concurrent('a machine of the same name booted separately counts as another: its reservation holds until it falls silent', async () => {
  await using world = await RefreshWorld.create(program);
  const owner = { ...(await currentOwner()), bootId: 'another', startTime: '1' };
  await leaveClaim(world, { owner, heartbeat: true }, 3_600_000);
  const worker = await world.worker();
  const refreshed = worker.run(refresh(world));
  // Its clock is an hour behind ours, and it lives.
  const path = join(world.credentials, `${KEY}.${tokenHash('R0')}.1.claim`);
  for (let beat = 0; beat < 7; beat++) {
    await new Promise((resolve) => setTimeout(resolve, SILENT_OWNER_MS / 5));
    const at = new Date(Date.now() - 3_600_000);
    await utimes(path, at, at);
  }
  expect(world.endpoint.posts.entries).toEqual([]);
  expect(await refreshed).toEqual({ accessToken: 'A1' });
}, 60_000);

test.concurrent('a reservation without a heartbeat, from an earlier version elsewhere, holds for ten minutes', async () => {
  await using world = await RefreshWorld.create(program);
  const owner = { ...(await currentOwner()), pidNamespace: 'pid:[1]' };
  await leaveClaim(world, { owner }, 9 * 60_000);
  const worker = await world.worker();
  const refreshed = worker.run(refresh(world));
  await new Promise((resolve) => setTimeout(resolve, SILENT_OWNER_MS + 4_000));
  expect(world.endpoint.posts.entries).toEqual([]);
  await leaveClaim(world, { owner }, 11 * 60_000);
  expect(await refreshed).toEqual({ accessToken: 'A1' });
}, 60_000);

test.concurrent('a sign of life between the decision and the reservation: nothing is sent, and the reservation is withdrawn', async () => {
  await using world = await RefreshWorld.create(program);
  const owner = { ...(await currentOwner()), bootId: 'another' };
  const store = await openStore({ home: world.home, logger: silentLogger });
  const hash = tokenHash('R0');
  let sent = 0;
  const sendRefreshRequest = async () => {
    sent++;
    return { accessToken: 'A1', tokenType: 'Bearer' } as const;
  };
  const ports = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const deps = { ...ports, store, key: KEY, identity: { server: world.server }, sendRefreshRequest };
  const stale = { token: 'A0', refused: true };
  await store.withLock(
    KEY,
    async (locked) => {
      const watchOfSilence = async () => {
        const watch = new ReservationWatch();
        const since = systemClock.monotonic() - SILENT_OWNER_MS - 1;
        watch.observe(await locked.reservations(hash), since);
        return watch;
      };
      await leaveClaim(world, { owner, heartbeat: true }, 60_000);
      const disturbed: LockedRecord = {
        ...locked,
        reserve: async (...wanted) => {
          await leaveClaim(world, { owner, heartbeat: true }, 50_000);
          return locked.reserve(...wanted);
        },
      };
      expect(await refreshUnderLock(disturbed, deps, stale, await watchOfSilence())).toBe(LOOK_AGAIN);
      expect((await locked.reservations(hash)).map(({ number }) => number)).toEqual([1]);
      expect(sent).toBe(0);
      expect(await refreshUnderLock(locked, deps, stale, await watchOfSilence())).toMatchObject({
        kind: 'usable',
      });
    },
    { signal: new AbortController().signal },
  );
  expect(sent).toBe(1);
});
