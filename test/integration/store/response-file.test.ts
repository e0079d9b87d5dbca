import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_RECORD_BYTES } from '../../../src/store/files/record-size.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import {
  fillResponseFile,
  prepareResponseFile,
  readResponseFile,
} from '../../../src/store/reservation/response-file.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

let home: TemporaryHome;
beforeEach(async () => {
  home = await TemporaryHome.create();
});
afterEach(() => home[Symbol.asyncDispose]());
const names = async () => (await readdir(home.folder)).sort();

describe('the file for a response', () => {
  const path = () => join(home.folder, 'answer');

  test('has room for the longest response, and is still empty', async () => {
    expect(await readResponseFile(path(), 'k', sealingOf(home.folder))).toEqual({ kind: 'none' });
    expect(await prepareResponseFile(path())).toBe(true);
    const bytes = await readFile(path());
    expect(bytes.length).toBe(MAX_RECORD_BYTES);
    expect(bytes.every((byte) => byte === 0x20)).toBe(true);
    expect(await readResponseFile(path(), 'k', sealingOf(home.folder))).toEqual({ kind: 'empty' });
    expect(await names()).toEqual(['answer']);
  });

  test('is cut to the size of the response written into it', async () => {
    await prepareResponseFile(path());
    const bytes = serializeRecord(wholeRecord);
    expect(await fillResponseFile(path(), bytes)).toBe(true);
    expect(await readFile(path())).toEqual(Buffer.from(bytes));
    expect(await readResponseFile(path(), 'k', sealingOf(home.folder))).toEqual({
      kind: 'whole',
      record: wholeRecord,
    });
  });

  test('is not created again by a late response', async () => {
    expect(await fillResponseFile(path(), Buffer.from('x'))).toBe(false);
    expect(await names()).toEqual([]);
  });

  test('cannot be created if the folder has gone, and leaves nothing', async () => {
    expect(await prepareResponseFile(join(home.folder, 'gone', 'answer'))).toBe(false);
    await expect(prepareResponseFile(join(home.folder, 'answer/\0'))).rejects.toThrow();
    expect(await names()).toEqual([]);
  });

  test('is neither created in place of a folder nor written through a link', async () => {
    await mkdir(path());
    await expect(prepareResponseFile(path())).rejects.toThrow();
    await expect(fillResponseFile(path(), Buffer.from('x'))).rejects.toThrow();
    await writeFile(join(home.folder, 'elsewhere'), 'kept');
    await symlink(join(home.folder, 'elsewhere'), join(home.folder, 'link'));
    await expect(fillResponseFile(join(home.folder, 'link'), Buffer.from('x'))).rejects.toThrow();
    expect(await readFile(join(home.folder, 'elsewhere'), 'utf8')).toBe('kept');
    expect(await names()).toEqual(['answer', 'elsewhere', 'link']);
  });

  test('without a record counts as a refresh that may have been sent', async () => {
    await writeFile(path(), 'x'.repeat(MAX_RECORD_BYTES + 1));
    expect(await readResponseFile(path(), 'k', sealingOf(home.folder))).toEqual({ kind: 'empty' });
    await writeFile(path(), '{"version":1}');
    expect(await readResponseFile(path(), 'k', sealingOf(home.folder))).toEqual({ kind: 'empty' });
  });
});
