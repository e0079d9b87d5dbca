import { readdir, readFile } from 'node:fs/promises';
import { parseProcStat } from '../../../src/platform/process/process-identity.ts';

/** A process and its descendants, found by the parent of each. Linux only (proc(5)). */
export async function treeOf(root: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
    if (stat === undefined || parseProcStat(stat).kind !== 'running') continue;
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Ends a process as some hosts end what they have started: all its descendants too, whatever their session, one by one with SIGKILL. */
export async function killTree(root: number): Promise<readonly number[]> {
  const tree = await treeOf(root);
  for (const pid of tree) kill(pid);
  return tree;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
