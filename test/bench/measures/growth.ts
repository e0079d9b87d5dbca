import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../../helpers/quantile.ts';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { askFor } from '../messages.ts';
import { callsPerSecond, openSession } from './calls.ts';
import { memoryOf, shareOfMemoryMb } from './process-figures.ts';

const IN_FLIGHT = 32;
const SETTLE_MS = 1_500;
const CALLS_PER_INSTANCE = 500;
/** Small messages are sent more often, so that each size takes about as long. */
const BYTES_PER_SIZE = 64_000_000;
const MOST_CALLS = 1_000;

/** Milliseconds for one answer of each size, the median of several where that is quick. */
export async function growSizes(subject: Subject, sizes: readonly number[]): Promise<Figures> {
  await using link = await openSession(subject);
  await callsPerSecond(link, MOST_CALLS, 1);
  const figures: Record<string, number> = {};
  let id = 1_000_000;
  for (const bytes of sizes) {
    const times: number[] = [];
    const count = Math.max(1, Math.min(MOST_CALLS, Math.floor(BYTES_PER_SIZE / bytes)));
    for (let at = 0; at < count; at++) {
      id++;
      const from = performance.now();
      await link.call(id, askFor(id, bytes, 'json'));
      times.push(performance.now() - from);
    }
    figures[String(bytes)] = quantile(times, 0.5);
  }
  return figures;
}

/** Calls a second at each number of calls in flight. */
export async function growInFlight(
  subject: Subject,
  levels: readonly number[],
  count: number,
): Promise<Figures> {
  await using link = await openSession(subject);
  await callsPerSecond(link, count, IN_FLIGHT);
  const figures: Record<string, number> = {};
  for (const level of levels) figures[String(level)] = await callsPerSecond(link, count, level);
  return figures;
}

/** Memory in MB after so many calls in one session. */
export async function growSession(subject: Subject, marks: readonly number[]): Promise<Figures> {
  await using link = await openSession(subject);
  if (link.pid === undefined) return {};
  const figures: Record<string, number> = {};
  let done = 0;
  for (const mark of marks) {
    await callsPerSecond(link, mark - done, IN_FLIGHT);
    done = mark;
    await pause(SETTLE_MS);
    figures[String(mark)] = memoryOf(link.pid).nowMb;
  }
  return figures;
}

/** `count` bridges on one credential, all started at once. */
export async function growInstances(subject: Subject, count: number): Promise<Figures> {
  const from = performance.now();
  const links = await Promise.all(Array.from({ length: count }, () => openSession(subject)));
  const readyMs = performance.now() - from;
  try {
    await pause(SETTLE_MS);
    const memoryMb = links.reduce((sum, { pid }) => sum + (pid === undefined ? 0 : shareOfMemoryMb(pid)), 0);
    const rates = await Promise.all(links.map((link) => callsPerSecond(link, CALLS_PER_INSTANCE, 1)));
    return {
      [`${count}: all ready`]: readyMs,
      [`${count}: memory each`]: memoryMb / count,
      [`${count}: calls/s together`]: rates.reduce((sum, rate) => sum + rate, 0),
    };
  } finally {
    await Promise.all(links.map((link) => link[Symbol.asyncDispose]()));
  }
}
