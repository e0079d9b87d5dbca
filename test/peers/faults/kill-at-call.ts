import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * From now on this process ends, as by kill -9, in place of its n-th call into file system or network; the call's name is the last
 * thing on stderr. Calls are counted where Node hands them to the system, whoever makes them.
 */
export async function killAtCall(n: number): Promise<void> {
  let calls = 0;
  const { writeSync } = fs;
  const count = (name: string) => {
    calls++;
    if (calls !== n) return;
    writeSync(2, name);
    process.kill(process.pid, 'SIGKILL');
  };
  const handle = await fs.promises.open(import.meta.filename);
  patch(Object.getPrototypeOf(handle), ['writeFile', 'sync', 'truncate', 'readFile', 'stat'], count);
  await handle.close();
  calls = 0;
  patch(
    fs.promises,
    ['open', 'rename', 'link', 'unlink', 'mkdir', 'rmdir', 'stat', 'lstat', 'readdir'],
    count,
  );
  patch(fs, ['mkdir', 'stat', 'utimes', 'rmdir', 'lstatSync'], count);
  patch(net.Socket.prototype, ['connect', 'write'], count);
  syncBuiltinESMExports();
}

/** From now on this process suspends itself, as by kill -STOP, before its next call of this name, once. */
export function suspendBefore(name: 'rename'): void {
  let isDone = false;
  patch(fs.promises, [name], () => {
    if (isDone) return;
    isDone = true;
    process.kill(process.pid, 'SIGSTOP');
  });
  syncBuiltinESMExports();
}

function patch(target: object, names: readonly string[], before: (name: string) => void): void {
  const owner = target as Record<string, (...args: unknown[]) => unknown>;
  for (const name of names) {
    const real = owner[name];
    if (real === undefined) throw new Error(`nothing to count: ${name}`);
    owner[name] = function counted(this: unknown, ...args: unknown[]) {
      before(name);
      return real.apply(this, args);
    };
  }
}
