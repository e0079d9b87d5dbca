import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { exists } from './exists.ts';

/** The process that owns a file, described so that others can tell later whether it still runs. A process id alone may be reused. */
export interface Owner {
  readonly host: string;
  /** Changes with each boot of the machine; absent if the system does not provide it. */
  readonly bootId?: string | undefined;
  /** Process ids are only meaningful within one namespace (containers may share a volume). */
  readonly pidNamespace?: string | undefined;
  readonly pid: number;
  readonly startTime?: string | undefined;
}

/** `dead` only if that is certain; a suspended process is alive. */
export type ProcessLiveness = 'alive' | 'dead' | 'unknown';

let self: Promise<Owner> | undefined;

/** This process; determined once. */
export function currentOwner(): Promise<Owner> {
  self ??= describeSelf();
  return self;
}

async function describeSelf(): Promise<Owner> {
  const [bootId, pidNamespace, state] = await Promise.all([
    readBootId(),
    readPidNamespace(),
    processState(process.pid),
  ]);
  return {
    host: hostname(),
    bootId,
    pidNamespace,
    pid: process.pid,
    startTime: state.kind === 'running' ? state.startTime : undefined,
  };
}

/** Whether the owner's process still runs; `unknown` if it belongs to another machine, boot or namespace. */
export async function isAlive(owner: Owner): Promise<ProcessLiveness> {
  const here = await currentOwner();
  if (comparePlace(owner, here) !== 'here') return 'unknown';
  return judgeProcess(owner, await processState(owner.pid));
}

/**
 * Whether the owner is in a process table that we can see. An owner from another boot is elsewhere: it may be from an earlier boot of this
 * machine or from another machine of the same name, and the machine id of an image that both were made from would not distinguish
 * them either.
 */
export function comparePlace(owner: Owner, here: Owner): 'here' | 'elsewhere' {
  if (owner.bootId !== undefined && here.bootId !== undefined) {
    if (owner.bootId !== here.bootId) return 'elsewhere';
  } else if (owner.host !== here.host) return 'elsewhere';
  return owner.pidNamespace === here.pidNamespace ? 'here' : 'elsewhere';
}

/** What the system says about a process id. */
export type ProcessState =
  | { readonly kind: 'none' }
  /** The process has ended, but its parent has not waited for it yet; it cannot act any more. */
  | { readonly kind: 'zombie' }
  | { readonly kind: 'running'; readonly startTime: string | undefined };

/** Decides from the state of the owner's process id; the start time tells a reused id from the same process. */
export function judgeProcess(owner: Owner, state: ProcessState): ProcessLiveness {
  if (state.kind !== 'running') return 'dead';
  if (owner.startTime === undefined || state.startTime === undefined) return 'unknown';
  return owner.startTime === state.startTime ? 'alive' : 'dead';
}

async function processState(pid: number): Promise<ProcessState> {
  if (!exists(pid)) return { kind: 'none' };
  if (process.platform === 'linux') {
    try {
      return parseProcStat(await readFile(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      // Either it has ended since, or it is hidden from us (hidepid); a second check tells which.
      return exists(pid) ? { kind: 'running', startTime: undefined } : { kind: 'none' };
    }
  }
  if (process.platform === 'win32') return { kind: 'running', startTime: undefined };
  const line = await output('/bin/ps', ['-o', 'state=,lstart=', '-p', String(pid)]);
  const found = /^\s*(\S+)\s+(.+?)\s*$/.exec(line ?? '');
  if (found === null) return { kind: 'running', startTime: undefined };
  return found[1]?.startsWith('Z') ? { kind: 'zombie' } : { kind: 'running', startTime: found[2] };
}

/**
 * proc(5): the second field, the command's name, may contain spaces and parentheses; field 3 is the state, 20 the number of threads, 22
 * the start time. The state is that of the first thread; another thread may still be in the system call during which the process was killed.
 */
export function parseProcStat(stat: string): ProcessState {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const hasEnded = fields[0] === 'Z' || fields[0] === 'X';
  if (hasEnded && Number(fields[17]) <= 1) return { kind: 'zombie' };
  return { kind: 'running', startTime: fields[19] };
}

async function readBootId(): Promise<string | undefined> {
  if (process.platform === 'linux') {
    return readFile('/proc/sys/kernel/random/boot_id', 'latin1').then(
      (text) => text.trim(),
      () => undefined,
    );
  }
  if (process.platform !== 'darwin') return undefined;
  return (await output('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']))?.trim() || undefined;
}

async function readPidNamespace(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  return readlink('/proc/self/ns/pid').catch(() => undefined);
}

/** Runs a tool with a fixed language and time zone: its output depends on both and is compared between processes. */
function output(command: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { env: { LC_ALL: 'C', TZ: 'UTC' }, timeout: 2_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });
}
