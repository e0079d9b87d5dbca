import { readdir, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { StdioLink } from '../links/stdio-link.ts';
import { INITIALIZE, INITIALIZED } from '../messages.ts';
import { memoryOf } from './process-figures.ts';

/**
 * What it costs to start the program by way of `npx`, from a cache that has it: the start, and the memory of the processes that are there for as
 * long as the bridge is. `command` starts the program without its arguments; `subject` starts it without `npx`. Memory is known on Linux only.
 */
export async function measureNpx(command: readonly string[], subject: Subject): Promise<Figures> {
  if (subject.kind !== 'command') throw new Error('without a bridge, nothing starts');
  const [, , ...args] = subject.argv;
  const link = new StdioLink([...command, ...args], { ...subject.env, npm_config_update_notifier: 'false' });
  await link.call(0, INITIALIZE);
  const startMs = performance.now() - link.startedAt;
  await link.notify(INITIALIZED);
  const tree = await descendants(link.pid);
  // The bridge is the last: it starts nothing.
  const besideMb = [link.pid, ...tree.slice(0, -1)].map((pid) => memoryOf(pid).nowMb);
  await link.end();
  return { 'start, npx': startMs, 'memory of npx': besideMb.reduce((sum, mb) => sum + mb, 0) };
}

/** Children before their own children; none where there is no /proc. */
async function descendants(of: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name in brackets may hold blanks; the parent is field 4 (proc(5)).
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const found = [of];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found.slice(1);
}
