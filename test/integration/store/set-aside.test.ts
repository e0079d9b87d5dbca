import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_RECORD_BYTES } from '../../../src/store/files/record-size.ts';
import { belongsTo, readRecord } from '../../../src/store/record/read-record.ts';
import { serializeRecord } from '../../../src/store/record/record-schema.ts';
import { readSetAside, removeSetAside, setAside } from '../../../src/store/record/set-aside.ts';
import { sealingOf } from '../../../src/store/system-keychain.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';

let home: TemporaryHome;
beforeEach(async () => {
  home = await TemporaryHome.create();
});
afterEach(() => home[Symbol.asyncDispose]());
const path = () => join(home.folder, 'key.json');

/** One record under the name, then aside. */
async function leave(text: string | Uint8Array): Promise<string> {
  await writeFile(path(), text, { mode: 0o600 });
  // Times of files may be as coarse as the tick of the kernel's clock.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return setAside(path(), sealingOf(home.folder));
}

describe('a file that is set aside', () => {
  test('gets a name that says so, and the newest three stay', async () => {
    const left: string[] = [];
    for (const text of ['1', '2', '3', '4', '5']) left.push(await leave(text));
    for (const each of left) expect(each).toMatch(/key\.corrupt-[0-9a-f]{12}$/);
    expect((await readdir(home.folder)).map((name) => join(home.folder, name)).sort()).toEqual(
      left.slice(2).sort(),
    );
  });

  test('is counted, and read if possible, the newest first', async () => {
    expect(await readSetAside(home.folder, 'key', sealingOf(home.folder))).toEqual({ files: 0, records: [] });
    await leave(serializeRecord({ ...wholeRecord, revision: 1 }));
    await leave('nonsense');
    await leave(serializeRecord({ ...wholeRecord, revision: 2 }));
    const { files, records } = await readSetAside(home.folder, 'key', sealingOf(home.folder));
    expect(files).toBe(3);
    expect(records.map(({ revision }) => revision)).toEqual([2, 1]);
  });

  test('is not read through a link', async () => {
    await writeFile(join(home.folder, 'elsewhere'), serializeRecord(wholeRecord));
    await symlink(join(home.folder, 'elsewhere'), join(home.folder, 'key.corrupt-link'));
    expect(await readSetAside(home.folder, 'key', sealingOf(home.folder))).toEqual({ files: 1, records: [] });
  });

  test('is removed by name, without other files', async () => {
    await leave('1');
    await mkdir(join(home.folder, 'key.corrupt-folder'));
    expect(await readSetAside(home.folder, 'key', sealingOf(home.folder))).toMatchObject({ files: 1 });
    await writeFile(join(home.folder, 'key2.corrupt-x'), '');
    await writeFile(join(home.folder, 'key.json'), '');
    await removeSetAside(home.folder, 'key');
    expect((await readdir(home.folder)).sort()).toEqual(['key.corrupt-folder', 'key.json', 'key2.corrupt-x']);
  });

  test('in a missing folder is an error', async () => {
    await expect(readSetAside(join(home.folder, 'gone'), 'key', sealingOf(home.folder))).rejects.toThrow(
      'ENOENT',
    );
    await expect(setAside(path(), sealingOf(home.folder))).rejects.toThrow();
  });
});

describe('a record file', () => {
  test.each<[string, string | Uint8Array | undefined, string]>([
    ['none', undefined, 'absent'],
    ['nonsense', '{', 'corrupt'],
    ['too large a one', 'x'.repeat(MAX_RECORD_BYTES + 1), 'corrupt'],
    ['a record', serializeRecord(wholeRecord), 'record'],
  ])('%s', async (_, text, kind) => {
    if (text !== undefined) await writeFile(path(), text, { mode: 0o600 });
    expect((await readRecord(path(), sealingOf(home.folder))).kind).toBe(kind);
    expect((await readRecord(path(), sealingOf(home.folder), { server: wholeRecord.server })).kind).toBe(
      kind,
    );
  });

  test('of a later version is reported with its version', async () => {
    await writeFile(path(), '{"version":3}', { mode: 0o600 });
    const refused = readRecord(path(), sealingOf(home.folder));
    await expect(refused).rejects.toThrow(`${path()} was written by a later version of this program (3)`);
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('MCP_DRAWBRIDGE_HOME') });
  });

  test('belongs to one server', async () => {
    await writeFile(path(), serializeRecord(wholeRecord));
    expect(await readRecord(path(), sealingOf(home.folder), { server: wholeRecord.server })).toEqual({
      kind: 'record',
      record: wholeRecord,
    });
    expect(await readRecord(path(), sealingOf(home.folder), { server: 'https://other.example/' })).toEqual({
      kind: 'corrupt',
    });
  });
});

const { server, resource } = wholeRecord;

test.each([
  [undefined, true],
  [{ server }, true],
  [{ server: `${server}/` }, false],
  [{ server, resource }, true],
  [{ server, resource: 'https://other.example' }, false],
  [{ server: 'https://other.example', resource }, false],
])('a record belongs to %j: %s', (identity, expected) => {
  expect(belongsTo(wholeRecord, identity)).toBe(expected);
});
