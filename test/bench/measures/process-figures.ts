import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const KIB = 1024;
const MB = 1_000_000;
/** `USER_HZ`, which Linux has fixed at 100 for what it shows to programs. */
const TICKS_PER_SECOND = 100;

/** Memory of another process in MB: now, and at its highest. The highest is known on Linux only. */
export function memoryOf(pid: number): { readonly nowMb: number; readonly peakMb: number } {
  if (process.platform !== 'linux') {
    const kib = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
    return { nowMb: (kib * KIB) / MB, peakMb: Number.NaN };
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * KIB) / MB;
  return { nowMb: read('VmRSS'), peakMb: read('VmHWM') };
}

/** Memory that is this process's alone or its part of what it shares (proportional set size): what ten of them add up to. */
export function shareOfMemoryMb(pid: number): number {
  if (process.platform !== 'linux') return memoryOf(pid).nowMb;
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) * KIB) / MB;
}

/** Seconds of processor time that another process has used so far; known on Linux only. */
export function cpuSecondsOf(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold blanks; utime and stime are fields 14 and 15 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
