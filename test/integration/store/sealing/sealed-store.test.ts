import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/platform/clock.ts';
import { silentLogger } from '../../../../src/platform/log/logger.ts';
import { openStore } from '../../../../src/store/open-store.ts';
import type { Store } from '../../../../src/store/port/store.ts';
import { parseRecord, serializeRecord } from '../../../../src/store/record/record-schema.ts';
import { writeMarker } from '../../../../src/store/sealing/marker.ts';
import { sealingOf } from '../../../../src/store/system-keychain.ts';
import { MemoryKeychain } from '../../../peers/keychains/memory-keychain.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../../peers/processes/home.ts';

const KEY = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const { version: _version, revision: _revision, ...login } = wholeRecord;
const { signal } = new AbortController();

let home: TemporaryHome;
let keychain: MemoryKeychain;
beforeEach(async () => {
  home = await TemporaryHome.create();
  keychain = new MemoryKeychain();
});
afterEach(() => home[Symbol.asyncDispose]());

/** As a process that starts now has it: it knows no key yet. */
const open = (): Promise<Store> =>
  openStore({ home: home.state, logger: silentLogger, openKeychain: keychain.open });
const credentials = () => join(home.state, 'credentials');
const pathOf = (key: string) => join(credentials(), `${key}.json`);

async function mark(state: 'on' | 'turning-off' = 'on'): Promise<string> {
  await open();
  const keys = await sealingOf(credentials(), keychain.open).keys();
  const keyId = await keys.create('system');
  await writeMarker(credentials(), { backend: 'system', keyId, state });
  return keyId;
}

/** All bytes of all files. */
async function everything(): Promise<string> {
  const names = await readdir(credentials());
  const texts = names
    .filter((name) => !name.endsWith('.lock'))
    .map((name) => readFile(join(credentials(), name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}

const secrets = () =>
  [
    wholeRecord.tokens?.accessToken,
    wholeRecord.tokens?.refreshToken,
    wholeRecord.client?.clientSecret,
    wholeRecord.dpopKey?.d,
    wholeRecord.server,
  ].filter((each) => each !== undefined);

async function expectSealed(): Promise<void> {
  const text = await everything();
  expect(secrets().length).toBeGreaterThan(3);
  for (const secret of secrets()) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
  }
}

describe('a folder with a marker', () => {
  test('keeps records sealed, whatever options a process has, and a new process reads them', async () => {
    const store = await open();
    await mark();
    // This one was opened before the marker was there.
    expect((await store.write(KEY, login, null)).kind).toBe('written');
    await expectSealed();
    expect(await (await open()).read(KEY)).toMatchObject({
      kind: 'record',
      record: { server: login.server },
    });
  });

  test('is left alone by versions without sealing: to them a record is of a later version', async () => {
    await mark();
    await (await open()).write(KEY, login, null);
    expect(parseRecord(await readFile(pathOf(KEY)))).toEqual({ kind: 'newer', version: 2 });
  });

  test('seals the response of a refresh, and finds it again after its owner was killed', async () => {
    await mark();
    const store = await open();
    await store.write(KEY, login, null);
    await store.withLock(
      KEY,
      async (locked) => {
        const read = await locked.read();
        if (read.kind !== 'record') throw new Error(read.kind);
        const reservation = await locked.reserve('hash', 1);
        await reservation?.prepare();
        const answer = join(credentials(), `${KEY}.hash.1.answer`);
        const form = await sealingOf(credentials(), keychain.open).form();
        const bytes = form.file(KEY, serializeRecord({ ...read.record, revision: 2 }));
        await writeFile(answer, bytes);
        expect(await locked.reservations('hash')).toMatchObject([
          { request: { kind: 'answered', record: { revision: 2 } } },
        ]);
        await expectSealed();
        const next = { ...login, requestedScope: 'next' };
        expect((await reservation?.commit(next, read.record))?.kind).toBe('written');
      },
      { signal },
    );
    await expectSealed();
    expect(await (await open()).read(KEY)).toMatchObject({ record: { requestedScope: 'next', revision: 2 } });
  });

  test('refuses a record that was put in place of another, and seals the file it sets aside', async () => {
    await mark();
    const store = await open();
    await store.write(KEY, login, null);
    await writeFile(pathOf(OTHER), await readFile(pathOf(KEY)), { mode: 0o600 });
    expect((await store.read(OTHER)).kind).toBe('corrupt');
    await writeFile(pathOf(OTHER), `{"accessToken":"${login.tokens?.accessToken}"`, { mode: 0o600 });
    expect((await store.read(OTHER)).kind).toBe('corrupt');
    expect((await readdir(credentials())).filter((name) => name.includes('.corrupt-'))).toHaveLength(2);
    await expectSealed();
    expect((await store.read(KEY)).kind).toBe('record');
  });

  test('with a changed record: it is set aside', async () => {
    await mark();
    const store = await open();
    await store.write(KEY, login, null);
    const text = await readFile(pathOf(KEY), 'utf8');
    const at = text.length - 20;
    await writeFile(pathOf(KEY), text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1));
    expect((await store.read(KEY)).kind).toBe('corrupt');
  });
});

describe('a keychain that gives no key', () => {
  test.each([
    ['locked', 'keychain_locked'],
    ['absent', 'keychain_absent'],
    ['no-bus', 'keychain_no_bus'],
  ] as const)('%s: reads, writes and sets aside nothing, and starts no sign-in', async (state, code) => {
    await mark();
    await (await open()).write(KEY, login, null);
    const before = await everything();
    keychain.state = state;
    const store = await open();
    const refused = { code, hint: 'Unlock it.' };
    await expect(store.read(KEY)).rejects.toMatchObject(refused);
    // A sign-in would begin here.
    await expect(store.read(OTHER)).rejects.toMatchObject(refused);
    await expect(store.write(KEY, login, 'any')).rejects.toMatchObject(refused);
    await expect(store.write(OTHER, login, null)).rejects.toMatchObject(refused);
    expect(await everything()).toBe(before);
  });

  test('is asked once for many calls, and again later', async () => {
    await mark();
    await (await open()).write(KEY, login, null);
    keychain.state = 'locked';
    keychain.asked.length = 0;
    const store = await open();
    const reads = await Promise.allSettled(Array.from({ length: 20 }, () => store.read(KEY)));
    expect(reads.every(({ status }) => status === 'rejected')).toBe(true);
    await expect(store.read(KEY)).rejects.toMatchObject({ code: 'keychain_locked' });
    expect(keychain.asked).toHaveLength(1);
    keychain.state = 'open';
    await expect
      .poll(() => store.read(KEY).then(({ kind }) => kind, String), { timeout: 10_000 })
      .toBe('record');
    expect(keychain.asked).toHaveLength(2);
  });

  test('because the key is gone causes its own error', async () => {
    await mark();
    await (await open()).write(KEY, login, null);
    keychain.items.clear();
    await expect((await open()).read(KEY)).rejects.toMatchObject({ code: 'keychain_key_missing' });
  });
});

describe('a marker', () => {
  test.each([
    ['empty', ''],
    ['of no keychain that there is', '{"version":1,"backend":"helper:../x","keyId":"00000000","state":"on"}'],
    ['of a later version', '{"version":2}'],
  ])('that is %s: writes no plain text', async (_, text) => {
    const store = await open();
    await writeFile(join(credentials(), 'keychain.json'), text, { mode: 0o600 });
    await expect(store.write(KEY, login, null)).rejects.toThrow('keychain.json');
    expect(await readdir(credentials())).toEqual(['keychain.json']);
  });

  test('that is missing while records are sealed is reported', async () => {
    await mark();
    const store = await open();
    await store.write(KEY, login, null);
    await rm(join(credentials(), 'keychain.json'));
    await expect(store.read(KEY)).rejects.toMatchObject({
      code: 'keychain',
      hint: expect.stringContaining('keychain on'),
    });
    await expect(store.write(KEY, login, 'any')).rejects.toMatchObject({ code: 'keychain' });
  });

  test.each([
    ['on', 'turning-off', 'record'],
    ['turning-on', 'on', 'newer'],
  ] as const)(
    'that changes from %s to %s during a write: the file has the new form',
    async (from, to, kind) => {
      const keyId = await mark();
      await writeMarker(credentials(), { backend: 'system', keyId, state: from });
      const store = await open();
      keychain.meanwhile = () => writeMarker(credentials(), { backend: 'system', keyId, state: to });
      expect((await store.write(KEY, login, null)).kind).toBe('written');
      expect(parseRecord(await readFile(pathOf(KEY))).kind).toBe(kind);
      expect((await readdir(credentials())).sort()).toEqual([`${KEY}.json`, 'keychain.json']);
    },
  );

  test('that is being removed: sealed files are read, and new ones are plain', async () => {
    const keyId = await mark();
    const store = await open();
    await store.write(KEY, login, null);
    await writeMarker(credentials(), { backend: 'system', keyId, state: 'turning-off' });
    expect((await store.write(KEY, login, 'any')).kind).toBe('written');
    expect(parseRecord(await readFile(pathOf(KEY))).kind).toBe('record');
  });
});

test('a keychain that gave no key is asked again after two seconds, by the clock of the store', async () => {
  await mark();
  const written = await (await open()).write(KEY, login, null);
  expect(written.kind).toBe('written');
  let aheadMs = 0;
  const store = await openStore({
    home: home.state,
    logger: silentLogger,
    openKeychain: keychain.open,
    clock: { ...systemClock, monotonic: () => aheadMs },
  });
  keychain.state = 'locked';
  await expect(store.read(KEY)).rejects.toMatchObject({ code: 'keychain_locked' });
  keychain.state = 'open';
  keychain.asked.length = 0;
  await expect(store.read(KEY)).rejects.toMatchObject({ code: 'keychain_locked' });
  expect(keychain.asked).toEqual([]);
  aheadMs = 2_000;
  expect((await store.read(KEY)).kind).toBe('record');
});
