import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { currentOwner } from '../../../src/platform/process/process-identity.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import {
  createReservation,
  type Reservation,
  type ReservationFiles,
  readReservations,
  removeReservations,
  reservationPath,
} from '../../../src/store/reservation/reservation.ts';
import { fillResponseFile } from '../../../src/store/reservation/response-file.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

/** A clock whose time a test sets, and whose sleeps end when the test calls `tick`. */
function tickingClock() {
  const clock = {
    ...systemClock,
    at: 1_800_000_000_000,
    asked: [] as number[],
    tick: () => {},
    now: () => clock.at,
    sleep: (ms: number, signal?: Parameters<Clock['sleep']>[1]) =>
      new Promise<void>((resolve, reject) => {
        clock.asked.push(ms);
        clock.tick = resolve;
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  return clock;
}

let home: TemporaryHome;
let files: ReservationFiles;
let clock: ReturnType<typeof tickingClock>;
beforeEach(async () => {
  home = await TemporaryHome.create();
  files = { folder: home.folder, key: 'k', hash: 'h', opener: sealingOf(home.folder) };
  clock = tickingClock();
});
afterEach(() => home[Symbol.asyncDispose]());

async function reserve(number = 1): Promise<Reservation> {
  const reservation = await createReservation(files, number, clock);
  if (reservation === undefined) throw new Error(`${number} is taken`);
  return reservation;
}
const read = (now = clock.at) => readReservations(files, now);
const mtimeOf = async (number: number) => (await stat(reservationPath(files, number, 'claim'))).mtimeMs;
const names = async () => (await readdir(home.folder)).sort();

/** The claim of somebody else. */
async function writeClaim(number: number, change: object = {}, nonce = 'other'): Promise<void> {
  const owner = { ...(await currentOwner()), ...change };
  await writeFile(reservationPath(files, number, 'claim'), JSON.stringify({ nonce, owner }));
}

describe('a reservation', () => {
  test('names its owner and its state', async () => {
    const reservation = await reserve();
    expect(await read()).toMatchObject([
      { number: 1, owner: 'alive', hasHeartbeat: true, request: { kind: 'no' } },
    ]);
    expect(await reservation.prepare()).toBe(true);
    expect(await read()).toMatchObject([{ owner: 'alive', request: { kind: 'maybe' } }]);
    await fillResponseFile(reservation.responsePath, serializeRecord(wholeRecord));
    expect(await read()).toMatchObject([{ request: { kind: 'answered', record: wholeRecord } }]);
    reservation.abandon();
    expect(await read()).toMatchObject([{ owner: 'dead', request: { kind: 'answered' } }]);
  });

  test('without a response leaves an empty file, which means so', async () => {
    const reservation = await reserve();
    await reservation.prepare();
    await reservation.markAmbiguous();
    expect(await read()).toMatchObject([{ owner: 'dead', request: { kind: 'ambiguous' } }]);
    expect((await stat(reservationPath(files, 1, 'lost'))).size).toBe(0);
    expect(await names()).toEqual(['k.h.1.claim', 'k.h.1.lost']);
  });

  test('that is released leaves nothing, and other reservations stay', async () => {
    const reservation = await reserve();
    const other = await reserve(12);
    await reservation.prepare();
    await reservation.release();
    expect(await names()).toEqual(['k.h.12.claim']);
    expect(await read()).toMatchObject([{ number: 12, owner: 'alive' }]);
    other.abandon();
  });

  test('has a number that is used once', async () => {
    const reservation = await reserve();
    expect(await createReservation(files, 1, clock)).toBeUndefined();
    expect(await read()).toMatchObject([{ owner: 'alive' }]);
    reservation.abandon();
    expect(await createReservation(files, 1, clock)).toBeUndefined();
  });

  test('that could not be created is held by nobody', async () => {
    await expect(
      createReservation({ ...files, folder: join(home.folder, 'gone') }, 1, clock),
    ).rejects.toThrow();
    expect(clock.asked).toEqual([]);
  });

  test('must not be used if another process has reserved the token since, or has removed the reservation', async () => {
    const first = await reserve();
    await writeClaim(2);
    expect(await first.prepare()).toBe(false);
    const third = await reserve(3);
    await removeReservations(files);
    expect(await third.prepare()).toBe(false);
    const fourth = await reserve(4);
    await writeClaim(4);
    expect(await fourth.prepare()).toBe(false);
    for (const each of [first, third, fourth]) each.abandon();
  });
});

test.each(['a.b.3.claim', 'k.h.x3.claim', 'k.h.3.claim.tmp'])(
  '%s does not count as a later reservation',
  async (name) => {
    const reservation = await reserve();
    await writeFile(join(home.folder, name), '');
    expect(await reservation.prepare()).toBe(true);
    reservation.abandon();
  },
);

test('a reservation whose file has become unreadable must not be used', async () => {
  const reservation = await reserve();
  await writeFile(reservationPath(files, 1, 'claim'), 'nonsense');
  expect(await reservation.prepare()).toBe(false);
  reservation.abandon();
});

test('a reservation whose folder has gone must not be used', async () => {
  const folder = join(home.folder, 'credentials');
  await mkdir(folder);
  const reservation = await createReservation({ ...files, folder }, 1, clock);
  await rm(folder, { recursive: true });
  expect(await reservation?.prepare()).toBe(false);
  reservation?.abandon();
});

describe('the heartbeat', () => {
  const turned = () => new Promise((resolve) => setTimeout(resolve, 20));

  test('touches the reservation by the given clock until it is released', async () => {
    const reservation = await reserve();
    expect(clock.asked).toEqual([2_000]);
    clock.at += 5_000;
    clock.tick();
    await expect.poll(() => mtimeOf(1)).toBe(clock.at);
    await expect.poll(() => clock.asked.length).toBe(2);
    reservation.abandon();
    await turned();
    clock.at += 5_000;
    clock.tick();
    await turned();
    expect(await mtimeOf(1)).toBe(clock.at - 5_000);
    expect(clock.asked.length).toBe(2);
  });

  test('and the moment before the request are signs of life', async () => {
    const reservation = await reserve();
    const [before] = await read();
    clock.at += 1_000;
    await reservation.prepare();
    const [after] = await read(clock.at + 300);
    expect(after?.ageMs).toBe(300);
    expect(after?.sign).not.toBe(before?.sign);
    const [early] = await read(clock.at - 300);
    expect(early?.ageMs).toBe(300);
    reservation.abandon();
  });

  test('continues when the reservation has gone', async () => {
    const reservation = await reserve();
    await removeReservations(files);
    clock.tick();
    await expect.poll(() => clock.asked.length).toBe(2);
    reservation.abandon();
  });
});

describe('reservations of others', () => {
  test.each<[string, object, string]>([
    ['this process without the nonce', {}, 'dead'],
    ['a process that is no more', { pid: 2 ** 22 + 1 }, 'dead'],
    ['this id with another start', { startTime: '1' }, 'dead'],
    ['this process, from before its machine was renamed', { host: 'other' }, 'alive'],
    ['another boot', { bootId: 'other' }, 'unknown'],
    ['another container', { pidNamespace: 'other' }, 'unknown'],
    [
      'a process of which nobody wrote down when it began',
      { pid: process.ppid, startTime: undefined },
      'unknown',
    ],
  ])('%s: %s', async (_, change, expected) => {
    await writeClaim(1, change);
    expect(await read()).toMatchObject([{ number: 1, owner: expected, hasHeartbeat: false }]);
  });

  test.each<[string, object]>([
    ['another process', { pid: 2 ** 22 + 1 }],
    ['an earlier process with this id', { startTime: '1' }],
  ])(
    'the nonce of a reservation of this process does not make another file its own: %s',
    async (_, change) => {
      const reservation = await reserve();
      const { nonce } = JSON.parse(await readFile(reservationPath(files, 1, 'claim'), 'utf8'));
      await writeClaim(1, {}, nonce);
      expect(await read()).toMatchObject([{ owner: 'alive' }]);
      await writeClaim(1, change, nonce);
      expect(await read()).toMatchObject([{ owner: 'dead' }]);
      reservation.abandon();
    },
  );

  test('an unreadable file does not name its owner', async () => {
    await writeFile(reservationPath(files, 1, 'claim'), 'no claim');
    await writeFile(reservationPath(files, 2, 'claim'), 'x'.repeat(17 * 1024));
    expect(await read()).toMatchObject([
      { number: 1, owner: 'unknown', hasHeartbeat: false, request: { kind: 'no' } },
      { number: 2, owner: 'unknown', hasHeartbeat: false },
    ]);
  });

  test('a reservation that is removed while it is read does not count', async () => {
    await symlink(join(home.folder, 'gone'), reservationPath(files, 1, 'claim'));
    await writeClaim(2);
    expect((await read()).map(({ number }) => number)).toEqual([2]);
  });

  test('a large reservation file counts', async () => {
    const owner = await currentOwner();
    const padded = JSON.stringify({ nonce: 'n', owner, heartbeat: true }).padEnd(16 * 1024);
    await writeFile(reservationPath(files, 1, 'claim'), padded);
    expect(await read()).toMatchObject([{ owner: 'dead', hasHeartbeat: true }]);
  });

  test('come in the order of their numbers; other files are ignored', async () => {
    for (const number of [10, 9, 2]) await writeClaim(number);
    for (const name of [
      'k.h.0.claim',
      'k.h.01.claim',
      'k.h.1234567.claim',
      'k.h.x3.claim',
      'k.h.3.claim.tmp',
      'k.h.3.answer',
      'k.other.3.claim',
      'other.h.3.claim',
    ])
      await writeFile(join(home.folder, name), '');
    expect((await read()).map(({ number }) => number)).toEqual([2, 9, 10]);
  });

  test('are removed with all files of this token, and no others', async () => {
    await writeClaim(1);
    await writeClaim(2);
    await writeFile(reservationPath(files, 2, 'answer'), '');
    await writeFile(reservationPath(files, 1, 'lost'), '');
    await writeFile(join(home.folder, 'k.h2.1.claim'), '');
    await writeFile(join(home.folder, 'k.json'), '');
    await removeReservations(files, 2);
    expect(await names()).toEqual(['k.h.1.claim', 'k.h.1.lost', 'k.h2.1.claim', 'k.json']);
    await removeReservations(files);
    expect(await names()).toEqual(['k.h2.1.claim', 'k.json']);
  });
});
