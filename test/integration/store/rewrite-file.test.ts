import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { turnOn } from '../../../src/store/conversion/seal-folder.ts';
import { MAX_RECORD_BYTES } from '../../../src/store/files/record-size.ts';
import { rewriteFile } from '../../../src/store/record/rewrite-file.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { MemoryKeychain } from '../../peers/keychains/memory-keychain.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

const KEY = 'a'.repeat(64);
let home: TemporaryHome;
let path: string;
let sealing: ReturnType<typeof sealingOf>;

beforeEach(async () => {
  home = await TemporaryHome.create();
  const folder = join(home.state, 'credentials');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  path = join(folder, `${KEY}.json`);
  const keychain = new MemoryKeychain();
  sealing = sealingOf(folder, keychain.open);
  const { signal } = new AbortController();
  const options = { sealing, clock: systemClock, random: systemRandom, signal, busyMs: 1_000 };
  await turnOn(folder, 'system', options);
});
afterEach(() => home[Symbol.asyncDispose]());

const put = (text: string | Uint8Array) => writeFile(path, text, { mode: 0o600 });
const rewrite = async () => rewriteFile(path, KEY, await sealing.form(), sealing);

test('a missing file needs no rewriting', async () => {
  expect(await rewrite()).toBe(true);
});

test('a plain file is sealed, and one already sealed with this key stays unchanged', async () => {
  await put('a canary');
  expect(await rewrite()).toBe(true);
  const sealed = await readFile(path, 'latin1');
  expect(sealed).not.toContain('canary');
  expect(await rewrite()).toBe(true);
  expect(await readFile(path, 'latin1')).toBe(sealed);
});

test('a sealed file that was changed is left as it is', async () => {
  await put('a canary');
  await rewrite();
  const sealed = await readFile(path, 'utf8');
  const changed = sealed.replace(
    /("sealed":\s*"[^"]{30})(.)/,
    (_, before, one) => before + (one === 'A' ? 'B' : 'A'),
  );
  expect(changed).not.toBe(sealed);
  await put(changed);
  expect(await rewrite()).toBe(true);
  expect(await readFile(path, 'utf8')).toBe(changed);
});

test('a link is left alone', async () => {
  const elsewhere = join(home.state, 'elsewhere');
  await writeFile(elsewhere, 'a canary', { mode: 0o600 });
  await symlink(elsewhere, path);
  expect(await rewrite()).toBe(false);
  expect(await readFile(elsewhere, 'utf8')).toBe('a canary');
});

test('a file that would be too large when sealed is left as it is', async () => {
  const text = 'x'.repeat(MAX_RECORD_BYTES);
  await put(text);
  expect(await rewrite()).toBe(false);
  expect(await readFile(path, 'utf8')).toBe(text);
});
