import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Readable, Writable } from 'node:stream';
import { answeredId } from '../messages.ts';
import type { Link } from './link.ts';

const LF = 0x0a;
/** A bridge that does not end by itself is ended; the exit time then says so. */
const EXIT_PATIENCE_MS = 10_000;
/** As much of its stderr as tells why it failed. */
const STDERR_CHARACTERS = 2_000;

/** A host's end of a bridge's stdio. */
export class StdioLink implements Link {
  notifications = 0;
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (bytes: number) => void; readonly reject: (reason: Error) => void }
  >();
  #parts: Buffer[] = [];
  #stderr = '';
  #exited: Promise<unknown>;

  constructor([command, ...args]: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command as string, args, { env: { ...env }, stdio: 'pipe' });
    this.#exited = once(this.#child, 'exit');
    this.#exited.then(
      () => this.#failAll(new Error(`the bridge ended: ${this.#stderr}`)),
      (error) => this.#failAll(error as Error),
    );
    (this.#child.stdout as Readable).on('data', (chunk: Buffer) => this.#take(chunk));
    (this.#child.stderr as Readable).on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_CHARACTERS);
    });
    this.#stdin.on('error', (error) => this.#failAll(error));
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get #stdin(): Writable {
    return this.#child.stdin as Writable;
  }

  call(id: number, request: string | Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#write(request);
    });
  }

  async notify(message: string): Promise<void> {
    this.#write(message);
  }

  /** Ends stdin; milliseconds until the process is gone. */
  async end(): Promise<number> {
    const from = performance.now();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_PATIENCE_MS);
    this.#stdin.end();
    await this.#exited;
    clearTimeout(timer);
    return performance.now() - from;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end();
  }

  #write(message: string | Buffer): void {
    if (typeof message === 'string') {
      this.#stdin.write(`${message}\n`);
      return;
    }
    this.#stdin.write(message);
    this.#stdin.write('\n');
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const part = chunk.subarray(start, end);
      this.#message(this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part]));
      this.#parts = [];
      start = end + 1;
    }
    if (start < chunk.length) this.#parts.push(chunk.subarray(start));
  }

  #message(message: Buffer): void {
    const id = answeredId(message);
    if (id === undefined) {
      this.notifications++;
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (message.subarray(0, 200).includes('"error":')) {
      waiting?.reject(new Error(message.toString('utf8', 0, STDERR_CHARACTERS)));
    } else waiting?.resolve(message.length);
  }

  #failAll(reason: Error): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
