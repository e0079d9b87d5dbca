// Bundled by kill-plan.ts and run by `node --require` before the built program; needs nothing but Node.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { basename } from 'node:path';
import { FleetSteps } from './fleet-steps.ts';
import type { KillPlan } from './kill-plan.ts';
import { isCallOf, isLock, Steps } from './refresh-steps.ts';

interface Handed extends KillPlan {
  /** This file as `node --require` takes it. */
  readonly preload: string;
  readonly said: string;
  readonly rearm: string;
}

type Call = (...args: unknown[]) => unknown;

const PROMISES = ['rename', 'link', 'unlink', 'mkdir', 'rmdir', 'stat', 'lstat', 'readdir', 'utimes'];
/** What the lock is made of. */
const OTHERS = ['mkdir', 'stat', 'utimes', 'rmdir', 'lstatSync'];
const HANDLE = ['writeFile', 'sync', 'truncate', 'readFile', 'stat'];

/** Counts the calls of the built program into the store and to the servers, where Node hands them to the system. */
export function follow(plan: Handed): void {
  const isSignIn = process.argv.includes('__sign-in');
  if (plan.role === 'sign-in' && !isSignIn) return handOn(plan.preload);
  if (isSignIn !== (plan.role === 'sign-in')) return;
  const { appendFileSync, readFileSync } = fs;
  // Once: the sign-in that follows the one that was killed is left alone.
  if (fs.existsSync(plan.said) && readFileSync(plan.said, 'utf8').includes('"killed":true')) return;
  let { at } = plan;
  let n = 0;
  const { engine } = plan;
  const [authority = 0] = plan.ports ?? [];
  const own = new Steps();
  const steps = engine === undefined ? own : new FleetSteps({ engine, authority });
  const count = (name: string, on: string) => {
    const step = steps.next(name, on);
    const isResidue = steps.isResidue(name);
    const isOf = (wanted: string) =>
      engine === undefined ? isCallOf({ step, name, on }, wanted) : step === wanted;
    if (plan.step !== undefined && !isOf(plan.step)) return;
    n++;
    const call = { n, name, on, step, holdsLock: own.holdsLock, isResidue };
    if (at === 0 || n < at || (plan.sparing && isResidue)) {
      if (at === 0) appendFileSync(plan.said, `${JSON.stringify(call)}\n`);
      return;
    }
    appendFileSync(plan.said, `${JSON.stringify({ ...call, killed: true })}\n`);
    // Once: a process that is resumed goes on.
    at = Number.MAX_SAFE_INTEGER;
    process.kill(process.pid, plan.signal ?? 'SIGKILL');
  };
  process.on('SIGUSR2', () => {
    at = Number(readFileSync(plan.rearm, 'utf8'));
    n = 0;
    fs.writeSync(2, '@armed\n');
  });
  if (engine === undefined) {
    watchLock((held) => {
      own.holdsLock = held;
    });
    countFiles(plan.folder, count, (name, path) => own.done(name, path));
    countConnections(plan.ports, count);
  } else {
    const ports = [...engine, authority];
    countConnections(ports, count);
    countArrivals(ports, count);
  }
  syncBuiltinESMExports();
}

/** The program hands no `--require` on to the sign-in process that it starts. */
function handOn(preload: string): void {
  const { spawn } = childProcess;
  const owner = childProcess as unknown as Record<string, Call>;
  owner.spawn = (command, args, options) => {
    const own = args as readonly string[];
    // The entry of the program precedes its command word, and Node's flags precede the entry.
    const entry = own.indexOf('__sign-in') - 1;
    const handed = entry < 0 ? own : [...own.slice(0, entry), '--require', preload, ...own.slice(entry)];
    return (spawn as Call)(command, handed, options);
  };
  syncBuiltinESMExports();
}

function countFiles(
  folder: string,
  count: (name: string, on: string) => void,
  done: (name: string, on: string) => void,
): void {
  const before = (name: string, path: unknown) => {
    if (typeof path === 'string' && path.startsWith(folder)) count(name, basename(path));
  };
  const promises = fs.promises as unknown as Record<string, Call>;
  wrap(promises, PROMISES, before);
  wrap(fs as unknown as Record<string, Call>, OTHERS, before);
  const open = promises.open as (...args: unknown[]) => Promise<Record<string, Call>>;
  promises.open = async (path: unknown, ...rest: unknown[]) => {
    before('open', path);
    const handle = await open.call(fs.promises, path, ...rest);
    wrap(handle, HANDLE, (name) => before(name, path));
    const { writeFile } = handle as { writeFile: Call };
    handle.writeFile = async (...values) => {
      await writeFile.apply(handle, values);
      done('writeFile', basename(String(path)));
    };
    return handle;
  };
}

function countConnections(ports: readonly number[] | undefined, count: (name: string, on: string) => void) {
  const counts = (port: unknown): port is number =>
    typeof port === 'number' && (ports === undefined || ports.includes(port));
  const socket = net.Socket.prototype as unknown as Record<string, Call>;
  const { connect, write } = socket as { connect: Call; write: Call };
  socket.connect = function counted(this: net.Socket, ...args: unknown[]) {
    const [first] = args.flat() as { port?: unknown }[];
    const port = Number(first?.port);
    if (counts(port)) count('connect', String(port));
    return connect.apply(this, args);
  };
  socket.write = function counted(this: net.Socket, ...args: unknown[]) {
    if (counts(this.remotePort)) count('write', String(this.remotePort));
    return write.apply(this, args);
  };
}

/** What comes in, before the program sees it. */
function countArrivals(ports: readonly number[], count: (name: string, on: string) => void): void {
  const socket = net.Socket.prototype as unknown as Record<string, Call>;
  const { push } = socket as { push: Call };
  socket.push = function counted(this: net.Socket, ...args: unknown[]) {
    const { remotePort } = this;
    if (args[0] !== null && remotePort !== undefined && ports.includes(remotePort))
      count('read', String(remotePort));
    return push.apply(this, args);
  };
}

function wrap(
  owner: Record<string, Call>,
  names: readonly string[],
  before: (name: string, first: unknown) => void,
): void {
  for (const name of names) {
    const real = owner[name];
    if (real === undefined) throw new Error(`nothing to count: ${name}`);
    owner[name] = function counted(this: unknown, ...args: unknown[]) {
      before(name, args[0]);
      return real.apply(this, args);
    };
  }
}

/** Whether the credential's lock is ours: it was made, and not removed since. */
function watchLock(tell: (held: boolean) => void): void {
  const owner = fs as unknown as Record<string, Call>;
  const { mkdir, rmdir } = owner as { mkdir: Call; rmdir: Call };
  owner.mkdir = (path, ...rest) => {
    const done = rest.pop() as (error: Error | null) => void;
    return mkdir.call(fs, path, ...rest, (error: Error | null) => {
      if (error === null && isLock(String(path))) tell(true);
      done(error);
    });
  };
  owner.rmdir = (path, ...rest) => {
    if (isLock(String(path))) tell(false);
    return rmdir.call(fs, path, ...rest);
  };
}
