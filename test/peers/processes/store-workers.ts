import { type ChildProcess, fork } from 'node:child_process';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorker } from '../../helpers/bundle-worker.ts';

export type WorkerTask = { readonly home: string; readonly key: string } & (
  | { readonly do: 'look' }
  | {
      readonly do: 'refresh';
      readonly server: string;
      readonly staleToken: string;
      /** Ends with kill -9 in place of its n-th call into file system or network. */
      readonly killAt?: number;
      /** The access token still serves, and is about to end. */
      readonly due?: true;
      /** Until SIGCONT: once the claim is made, before anything says that the token may have been sent. */
      readonly suspended?: true;
    }
  /** Writes over the record that it reads; `suspended`: right before that becomes the record, until SIGCONT. */
  | { readonly do: 'write'; readonly suspended?: true }
  | { readonly do: 'remove' }
  | { readonly do: 'lease'; readonly adopt: boolean }
  /** Takes the lock, and keeps it until it is told to leave. */
  | { readonly do: 'enter'; readonly killAt?: number }
  | { readonly do: 'leave' }
  /** Moves the login to the folder of `shared`, which stands for a store of many machines, or to the Redis at that address, or back. */
  | {
      readonly do: 'move';
      readonly server: string;
      readonly shared: string;
      readonly back: boolean;
      readonly killAt?: number;
    }
);

export type WorkerAnswer =
  | { readonly ready: true }
  | { readonly accessToken: string }
  | { readonly written: string }
  | { readonly removed: true }
  | { readonly moved: string }
  | { readonly lease: 'created' | 'held' }
  /** `alone`: it met nobody who lives under the same lock. */
  | { readonly entered: true; readonly alone: boolean }
  | { readonly left: true; readonly alone: boolean }
  | {
      readonly looked: { readonly writable: boolean; readonly written: string; readonly revision: number } & {
        readonly warnings: readonly string[];
      };
    }
  | { readonly failed: string; readonly message?: string }
  /** The process has ended; `said`: on stderr. */
  | { readonly signal: NodeJS.Signals | null; readonly said: string };

/** One file, so that many processes start fast on a machine with two cores. */
export async function buildStoreWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'store-worker.mjs');
  await bundleWorker('test/peers/processes/store-worker.ts', outfile);
  await chmod(outfile, 0o644);
  return outfile;
}

export interface WorkerOptions {
  /** Another user, where the test runs as root. */
  readonly uid?: number;
  /** The largest file that it may write, as on a disk that is all but full. */
  readonly maxFileBytes?: number;
  /** Among process ids of its own, as in a container. */
  readonly container?: true;
}

/** The shell is the first process there: signals from within do nothing to the first one (pid_namespaces(7)). */
const CONTAINER = ['-rpf', '--mount-proc', '--kill-child', 'sh', '-c', '"$0" "$@"; exit $?'];

/** A process that works on the store beside the test. */
export class StoreWorker implements Disposable {
  readonly child: ChildProcess;
  #said = '';
  readonly #exited: Promise<WorkerAnswer>;

  private constructor(file: string, options: WorkerOptions) {
    this.child = fork(file, [], {
      env: { PATH: process.env.PATH ?? '' },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      cwd: '/',
      ...(options.maxFileBytes === undefined
        ? {}
        : { execPath: 'prlimit', execArgv: [`--fsize=${options.maxFileBytes}`, process.execPath] }),
      ...(options.container === undefined
        ? {}
        : { execPath: 'unshare', execArgv: [...CONTAINER, process.execPath] }),
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.child.stderr?.on('data', (chunk) => {
      this.#said += chunk;
    });
    this.#exited = new Promise((resolve) => {
      this.child.once('close', (_, signal) => resolve({ signal, said: this.#said }));
    });
  }

  static async start(file: string, options: WorkerOptions = {}): Promise<StoreWorker> {
    const worker = new StoreWorker(file, options);
    const first = await worker.#next();
    if (!('ready' in first)) throw new Error(`the worker did not start: ${JSON.stringify(first)}`);
    return worker;
  }

  /** Its answer, or how it ended. */
  run(task: WorkerTask): Promise<WorkerAnswer> {
    const answer = this.#next();
    this.child.send(task);
    return answer;
  }

  #next(): Promise<WorkerAnswer> {
    const message = new Promise<WorkerAnswer>((resolve) => {
      this.child.once('message', (answer) => resolve(answer as WorkerAnswer));
    });
    return Promise.race([message, this.#exited]);
  }

  /** Its process id as it is here. */
  async pid(): Promise<number> {
    let pid = this.child.pid ?? 0;
    for (;;) {
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1');
      const child = Number(children.trim().split(' ')[0]);
      if (!child) return pid;
      pid = child;
    }
  }

  /** Whether the kernel shows it as suspended, once it does. */
  async suspended(): Promise<void> {
    const pid = await this.pid();
    for (;;) {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
      if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}
