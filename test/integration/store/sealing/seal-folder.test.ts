import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/platform/clock.ts';
import { silentLogger } from '../../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import { readSealing, turnOff, turnOn } from '../../../../src/store/conversion/seal-folder.ts';
import { openStore } from '../../../../src/store/open-store.ts';
import { serializeRecord } from '../../../../src/store/record/record-schema.ts';
import { readMarker, writeMarker } from '../../../../src/store/sealing/marker.ts';
import { sealingOf } from '../../../../src/store/system-keychain.ts';
import { MemoryKeychain } from '../../../peers/keychains/memory-keychain.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../../peers/processes/home.ts';

const KEYS = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];
const [KEY] = KEYS;
const MOVED_KEY = 'd'.repeat(64);
const { version: _version, revision: _revision, ...login } = wholeRecord;
const { signal } = new AbortController();
const CANARY = wholeRecord.tokens?.accessToken ?? '';

let home: TemporaryHome;
let keychain: MemoryKeychain;
beforeEach(async () => {
  home = await TemporaryHome.create();
  keychain = new MemoryKeychain();
  await mkdir(folder(), { recursive: true, mode: 0o700 });
});
afterEach(() => home[Symbol.asyncDispose]());

const folder = () => join(home.state, 'credentials');
const open = (wanted?: string) =>
  openStore({ home: home.state, logger: silentLogger, openKeychain: keychain.open, keychain: wanted });
const options = (busyMs = 40_000) => ({
  sealing: sealingOf(folder(), keychain.open),
  clock: systemClock,
  random: systemRandom,
  signal,
  busyMs,
});

/** Name → text of every file but the marker. */
async function files(): Promise<Record<string, string>> {
  const names = (await readdir(folder())).filter((name) => name !== 'keychain.json').sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder(), name), 'latin1')])),
  );
}

/** Every kind of file that may hold a token. */
async function leaveAll(): Promise<void> {
  const put = (name: string, text: string | Uint8Array) =>
    writeFile(join(folder(), name), text, { mode: 0o600 });
  for (const key of KEYS) await put(`${key}.json`, serializeRecord(wholeRecord));
  await put(`${KEY}.corrupt-0123456789ab`, `{"tokens":{"accessToken":"${CANARY}"`);
  await put(`${KEY}.hash.1.answer`, serializeRecord({ ...wholeRecord, revision: 9 }));
  await put(`${KEY}.json.0123456789abcdef.tmp`, serializeRecord(wholeRecord));
  await put(`${KEY}.sign-in.json`, '{}');
  // A move that was interrupted has left them.
  await put(`${MOVED_KEY}.moving`, serializeRecord(wholeRecord));
  await put(`${MOVED_KEY}.moving.0123456789abcdef.tmp`, serializeRecord(wholeRecord));
}

describe('turning on', () => {
  test('seals all files with tokens; turning off restores each byte, and erases the key', async () => {
    await leaveAll();
    const before = await files();
    const turned = await turnOn(folder(), undefined, options());
    expect(turned.left).toEqual([]);
    const sealed = await files();
    expect(Object.values(sealed).join()).not.toContain(CANARY);
    expect(Object.keys(sealed)).toEqual(Object.keys(before).filter((name) => !name.endsWith('.tmp')));
    expect(await readSealing(folder())).toEqual({
      marker: { backend: 'system', keyId: turned.keyId, state: 'on' },
      sealed: 6,
      plain: 0,
    });
    for (const key of KEYS) expect(await (await open()).read(key)).toMatchObject({ record: wholeRecord });
    // Once more changes nothing.
    await turnOn(folder(), 'system', options());
    expect(await files()).toEqual(sealed);
    expect([...keychain.items.keys()]).toEqual([turned.keyId]);

    expect((await turnOff(folder(), options()))?.left).toEqual([]);
    const kept = Object.entries(before).filter(([name]) => !name.endsWith('.tmp'));
    expect(await files()).toEqual(Object.fromEntries(kept));
    expect(keychain.items.size).toBe(0);
    expect(await readMarker(folder())).toBeUndefined();
    expect(await turnOff(folder(), options())).toBeUndefined();
  });

  test.each(['locked', 'absent', 'no-bus'] as const)(
    'with a keychain that is %s changes nothing',
    async (state) => {
      await leaveAll();
      const before = await readdir(folder());
      keychain.state = state;
      await expect(turnOn(folder(), undefined, options())).rejects.toMatchObject({ hint: 'Unlock it.' });
      expect(await readdir(folder())).toEqual(before);
      keychain.state = 'open';
      await turnOn(folder(), undefined, options());
      const sealed = await files();
      keychain.state = state;
      await expect(turnOff(folder(), options())).rejects.toMatchObject({ hint: 'Unlock it.' });
      expect(await files()).toEqual(sealed);
      expect((await readMarker(folder()))?.state).toBe('on');
    },
  );

  test('waits for a refresh, whose owner writes the response in the form it knew', async () => {
    const store = await open();
    const written = await store.write(KEY, login, null);
    if (written.kind !== 'written') throw new Error(written.kind);
    let turning: Promise<unknown> | undefined;
    await store.withLock(
      KEY,
      async (locked) => {
        const reservation = await locked.reserve('hash', 1);
        await reservation?.prepare();
        turning = turnOn(folder(), undefined, options());
        await expect
          .poll(() => readMarker(folder()), { timeout: 10_000 })
          .toMatchObject({ state: 'turning-on' });
        const next = { ...login, requestedScope: 'next' };
        expect((await reservation?.commit(next, written.record))?.kind).toBe('written');
      },
      { signal },
    );
    await turning;
    expect(Object.values(await files()).join()).not.toContain(CANARY);
    expect(await store.read(KEY)).toMatchObject({ record: { requestedScope: 'next' } });
  });

  test('fails while a live process has reserved a refresh token, and works when tried again', async () => {
    const store = await open();
    await store.write(KEY, login, null);
    // The lock may be lost to somebody else while the owner of the reservation is suspended.
    const reservation = await store.withLock(KEY, async (locked) => locked.reserve('hash', 1), { signal });
    expect((await turnOn(folder(), undefined, options(0))).left).toEqual([{ name: KEY, why: 'busy' }]);
    expect((await readMarker(folder()))?.state).toBe('turning-on');
    await reservation?.release();
    expect((await turnOn(folder(), undefined, options())).left).toEqual([]);
    expect((await readMarker(folder()))?.state).toBe('on');
    expect(Object.values(await files()).join()).not.toContain(CANARY);
  });

  test('finds the key again when the marker was lost', async () => {
    await leaveAll();
    const { keyId } = await turnOn(folder(), undefined, options());
    await (await import('../../../../src/store/files/atomic-file.ts')).removeFile(
      join(folder(), 'keychain.json'),
    );
    expect((await turnOn(folder(), undefined, options())).keyId).toBe(keyId);
    expect(await (await open()).read(KEY)).toMatchObject({ kind: 'record' });
  });

  test('makes a new key when the old one is gone and nothing is sealed under it', async () => {
    const { keyId } = await turnOn(folder(), undefined, options());
    keychain.items.clear();
    await expect((await open()).write(KEY, login, null)).rejects.toMatchObject({
      code: 'keychain_key_missing',
    });
    expect((await turnOn(folder(), undefined, options())).keyId).not.toBe(keyId);
    expect((await (await open()).write(KEY, login, null)).kind).toBe('written');
    keychain.items.clear();
    await expect(turnOn(folder(), undefined, options())).rejects.toMatchObject({
      code: 'keychain_key_missing',
    });
  });

  test('is refused under another keychain', async () => {
    await turnOn(folder(), undefined, options());
    await expect(turnOn(folder(), 'helper:pass', options())).rejects.toThrow('another keychain (system)');
  });
});

describe('a process that was started with a keychain', () => {
  test('seals the folder before it uses it, and many at once make one key', async () => {
    await leaveAll();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open('system')));
    const reads = await Promise.all(stores.map((store) => store.read(KEY)));
    expect(reads.map(({ kind }) => kind)).toEqual(Array(5).fill('record'));
    expect(Object.values(await files()).join()).not.toContain(CANARY);
    expect(keychain.items.size).toBe(1);
  });

  test('reads nothing while the keychain is locked, and continues when it is open', async () => {
    await leaveAll();
    const before = await files();
    keychain.state = 'locked';
    const store = await open('system');
    await expect(store.read(KEY)).rejects.toMatchObject({ code: 'keychain_locked' });
    await expect(store.write(KEY, login, 'any')).rejects.toMatchObject({ code: 'keychain_locked' });
    expect(await files()).toEqual(before);
    keychain.state = 'open';
    expect((await store.read(KEY)).kind).toBe('record');
    expect((await readSealing(folder())).plain).toBe(0);
  });

  test('completes what another process left', async () => {
    await leaveAll();
    const { keyId } = await turnOn(folder(), undefined, options());
    await writeFile(join(folder(), `${KEY}.json`), serializeRecord(wholeRecord));
    await writeMarker(folder(), { backend: 'system', keyId, state: 'turning-on' });
    await (await open('system')).read(KEY);
    expect(await readSealing(folder())).toMatchObject({ marker: { state: 'on' }, plain: 0 });
  });
});
