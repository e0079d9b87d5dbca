import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Journal } from '../net/journal.ts';
import { redisProgram } from '../processes/tools.ts';

type Child = ChildProcessByStdio<null, Readable, null>;

/** A server or a Sentinel as a child that ends with its parent, whatever ends that. */
export class RedisProcess {
  readonly log = new Journal<string>();
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #ready: RegExp;
  readonly #env: Readonly<Record<string, string>>;
  #child: Child | undefined;

  constructor(
    what: 'server' | 'sentinel',
    args: readonly string[],
    ready: RegExp,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#program = redisProgram(what);
    this.#args = args;
    this.#ready = ready;
    this.#env = env;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#program} does not run`);
    return pid;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const from = this.log.entries.length;
    // setpriv(1) becomes the program, which then gets SIGKILL when its parent ends.
    const argv = ['--pdeathsig', 'KILL', this.#program, ...this.#args];
    const child = spawn('setpriv', argv, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.log.add(line));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${this.#program} ended:\n${this.log.entries.slice(from).join('\n')}`);
    });
    await Promise.race([this.log.waitFor((line) => this.#ready.test(line), { from }), ended]);
    ended.catch(() => undefined);
  }

  /** `kill -9`, until it has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  suspend(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }
}
