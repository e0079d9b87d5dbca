import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { codeOrMessage } from './child-process.ts';

/** A program that survives the host, and reports on its stdout when it is ready. */
export interface IndependentRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the program: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to the program's stdin, which is then closed. */
  readonly stdin: string;
  /** How long to wait for the program to be ready, in milliseconds. */
  readonly readyWithinMs: number;
}

/** `slow`: the program runs, but has not reported that it is ready. `failed`: it never ran, or ended before it was ready. */
export type IndependentOutcome =
  | { readonly kind: 'ready' | 'slow' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Starts a program that outlives the host. Never rejects. */
export type LaunchIndependent = (request: IndependentRequest) => Promise<IndependentOutcome>;

/**
 * Starts the program in the background and exits. The shell interprets only this text; the arguments are passed on unchanged, and none comes from a server
 * (.github/SECURITY.md, attack 2). The request is on fd 3, since a shell gives background programs an empty stdin.
 */
const START_AND_END = '(exec "$@" <&3 3<&-) &';

/**
 * Starts the program in a separate session and without a living parent. Some hosts end by killing their descendants one by one, found by the
 * parent of each process, so a session of its own does not protect a program; one whose parent has ended is a child of init and not found.
 * The program's output is read for one thing, that there is some (.github/SECURITY.md, attack 5).
 *
 * On Windows the program is only detached. A job object (JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) of a host then ends it with the host, unless the job
 * lets processes break away silently, as that of a host made with Node does.
 */
export const launchIndependent: LaunchIndependent = ({ command, args, env, stdin, readyWithinMs }) =>
  new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child =
        process.platform === 'win32' ? start(command, args, env) : startThroughShell(command, args, env);
    } catch (error) {
      // EAGAIN and similar errors are thrown, and so is a NUL in an argument.
      return resolve({ kind: 'failed', reason: codeOrMessage(error) });
    }
    const output = child.stdout as Readable;
    const input = (child.stdio[3] ?? child.stdin) as Writable;
    const settle = (outcome: IndependentOutcome) => {
      clearTimeout(timer);
      child.unref();
      output.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle({ kind: 'slow' }), readyWithinMs);
    child.once('error', (error) => settle({ kind: 'failed', reason: codeOrMessage(error) }));
    // The program keeps the output open, so this event means that it has ended, whatever started it.
    child.once('close', (code) =>
      settle({ kind: 'failed', reason: code ? `exit code ${code}` : 'it ended before it was ready' }),
    );
    output.once('data', () => settle({ kind: 'ready' }));
    // A program that ends before it reads breaks the pipe; its end is noticed above.
    input.on('error', () => {});
    input.end(stdin);
  });

function start(command: string, args: readonly string[], env: IndependentRequest['env']): ChildProcess {
  return spawn(command, [...args], {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
    shell: false,
    windowsHide: true,
  });
}

function startThroughShell(
  command: string,
  args: readonly string[],
  env: IndependentRequest['env'],
): ChildProcess {
  return spawn('/bin/sh', ['-c', START_AND_END, 'sh', command, ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    detached: true,
    shell: false,
  });
}
