import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../../helpers/quantile.ts';
import type { Figures } from '../figures.ts';
import { type Link, openLink, type Subject } from '../links/link.ts';
import {
  askFor,
  askForProgress,
  carry,
  INITIALIZE,
  INITIALIZED,
  type Kind,
  SMALL_BYTES,
} from '../messages.ts';
import { cpuSecondsOf, memoryOf } from './process-figures.ts';

const MB = 1_000_000;
/** What a process still does after its last answer (collecting garbage, writing what it remembers) is over by then. */
const SETTLE_MS = 1_500;
const WARM_UP = 500;
/** What the load is measured at. */
const LOAD_IN_FLIGHT = 32;
const CPU_PER_CALLS = 10_000;

/** Ids are never used twice in one session. */
let lastId = 0;

export async function openSession(subject: Subject): Promise<Link> {
  const link = await openLink(subject);
  await link.call(0, INITIALIZE);
  await link.notify(INITIALIZED);
  await link.call(nextId(), JSON.stringify({ jsonrpc: '2.0', id: lastId, method: 'tools/list' }));
  return link;
}

function nextId(): number {
  lastId++;
  return lastId;
}

/** One after the other; microseconds each, ascending. */
async function latencies(link: Link, count: number, kind: Kind): Promise<Float64Array> {
  const times = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const id = nextId();
    const from = performance.now();
    await link.call(id, askFor(id, SMALL_BYTES, kind));
    times[at] = (performance.now() - from) * 1_000;
  }
  return times.sort();
}

/** Small calls, `inFlight` side by side; how many a second. */
export async function callsPerSecond(link: Link, count: number, inFlight: number): Promise<number> {
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left--;
      const id = nextId();
      await link.call(id, askFor(id, SMALL_BYTES, 'json'));
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  return count / ((performance.now() - from) / 1_000);
}

export async function measureCalls(subject: Subject, count: number, load: number): Promise<Figures> {
  await using link = await openSession(subject);
  const figures: Record<string, number> = {};
  if (link.pid !== undefined) {
    await pause(SETTLE_MS);
    figures['memory at rest'] = memoryOf(link.pid).nowMb;
  }
  await callsPerSecond(link, WARM_UP, 1);
  for (const kind of ['json', 'sse'] as const) {
    await latencies(link, WARM_UP, kind);
    const times = await latencies(link, count, kind);
    figures[`call p50 ${kind}`] = quantile(times, 0.5);
    figures[`call p99 ${kind}`] = quantile(times, 0.99);
  }
  figures['calls/s at 1'] = await callsPerSecond(link, count, 1);
  await callsPerSecond(link, WARM_UP * 4, LOAD_IN_FLIGHT);
  const cpuBefore = link.pid === undefined ? 0 : cpuSecondsOf(link.pid);
  figures[`calls/s at ${LOAD_IN_FLIGHT}`] = await callsPerSecond(link, load, LOAD_IN_FLIGHT);
  if (link.pid !== undefined) {
    figures['cpu per 10k calls'] = ((cpuSecondsOf(link.pid) - cpuBefore) / load) * CPU_PER_CALLS;
  }
  figures['calls/s at 256'] = await callsPerSecond(link, load, 256);
  if (link.pid !== undefined) {
    await pause(SETTLE_MS);
    const { nowMb, peakMb } = memoryOf(link.pid);
    figures['memory after load'] = nowMb;
    figures['memory at peak'] = peakMb;
  }
  return figures;
}

export async function measureNotifications(subject: Subject, count: number): Promise<Figures> {
  await using link = await openSession(subject);
  const warmUp = nextId();
  await link.call(warmUp, askForProgress(warmUp, Math.ceil(count / 10)));
  const before = link.notifications;
  const id = nextId();
  const from = performance.now();
  await link.call(id, askForProgress(id, count));
  const seconds = (performance.now() - from) / 1_000;
  const came = link.notifications - before;
  return { 'notifications/s': came / seconds, 'notifications lost': count - came };
}

/** MB a second for one large message, and what the process in between grew to. */
export async function measureLarge(
  subject: Subject,
  bytes: number,
  way: Kind | 'arguments',
): Promise<Figures> {
  await using link = await openSession(subject);
  await callsPerSecond(link, WARM_UP, 1);
  const atRestMb = link.pid === undefined ? 0 : memoryOf(link.pid).nowMb;
  const id = nextId();
  const request = way === 'arguments' ? carry(id, bytes) : askFor(id, bytes, way);
  const from = performance.now();
  const answered = await link.call(id, request);
  const seconds = (performance.now() - from) / 1_000;
  if (way !== 'arguments' && answered < bytes) throw new Error(`only ${answered} of ${bytes} bytes came`);
  const name = `${Math.round(bytes / MB)} MB ${way}`;
  const grown = link.pid === undefined ? {} : { [`peak ${name}`]: memoryOf(link.pid).peakMb - atRestMb };
  return { [name]: bytes / MB / seconds, ...grown };
}
