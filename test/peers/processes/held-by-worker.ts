import { readFile, rm, writeFile } from 'node:fs/promises';
import { systemClock } from '../../../src/platform/clock.ts';
import { currentOwner, isAlive, type Owner } from '../../../src/platform/process/process-identity.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { withFileLock } from '../../../src/store/lock/file-lock.ts';
import type { WorkerAnswer } from './store-workers.ts';

let leave: () => void = () => {};
let released: Promise<boolean> = Promise.resolve(true);

/** Takes the lock of `file` and stays. Beside it is written who is in it; whoever finds another there looks whether that one lives. */
export function enterLock(file: string): Promise<WorkerAnswer> {
  const inside = `${file}.inside`;
  return new Promise((resolve, reject) => {
    const run = async (): Promise<boolean> => {
      const found = await readFile(inside, 'utf8').catch(() => undefined);
      const other = found === undefined ? undefined : (JSON.parse(found) as Owner);
      const own = JSON.stringify(await currentOwner());
      await writeFile(inside, own);
      resolve({ entered: true, alone: other === undefined || (await isAlive(other)) === 'dead' });
      await new Promise<void>((done) => {
        leave = done;
      });
      const isOwn = (await readFile(inside, 'utf8')) === own;
      await rm(inside);
      return isOwn;
    };
    const tools = { clock: systemClock, random: systemRandom };
    released = withFileLock(file, run, { signal: new AbortController().signal }, tools);
    released.catch(reject);
  });
}

export async function leaveLock(): Promise<WorkerAnswer> {
  leave();
  return { left: true, alone: await released };
}
