import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { StdioLink } from '../links/stdio-link.ts';
import { INITIALIZE, INITIALIZED } from '../messages.ts';

/** What a host waits for at its start and at its end. */
export async function measureStart(subject: Subject): Promise<Figures> {
  if (subject.kind !== 'command') throw new Error('without a bridge, nothing starts');
  const link = new StdioLink(subject.argv, subject.env);
  await link.call(0, INITIALIZE);
  const startMs = performance.now() - link.startedAt;
  await link.notify(INITIALIZED);
  await link.call(1, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
  return { start: startMs, exit: await link.end() };
}

/** The least that any program in Node takes: from its start to its first byte. */
export async function measureBareNode(node: string): Promise<Figures> {
  const from = performance.now();
  const child = spawn(node, ['-e', "process.stdout.write('x')"], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  const startMs = performance.now() - from;
  await exited;
  return { 'bare Node': startMs };
}
