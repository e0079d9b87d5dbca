import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../src/platform/clock.ts';
import { systemRandom } from '../../../../src/platform/random.ts';
import { withFileLock } from '../../../../src/store/lock/file-lock.ts';
import { TemporaryHome } from '../../../peers/processes/home.ts';

test('a lock that is removed right after its creation, like the stale one before it, is created again', async () => {
  await using home = await TemporaryHome.create();
  const file = join(home.folder, 'file');
  const path = `${file}.lock`;
  const signal = new AbortController().signal;
  const tools = { clock: systemClock, random: systemRandom };
  let isOver = false;
  const remove = async () => {
    while (!isOver) {
      await rmdir(path).catch((error: NodeJS.ErrnoException) => expect(error.code).toBe('ENOENT'));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const removing = remove();
  for (let n = 0; n < 150; n++) {
    expect(await withFileLock(file, async () => n, { signal }, tools)).toBe(n);
  }
  isOver = true;
  await removing;
});
