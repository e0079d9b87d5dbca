import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { Journal, type WaitOptions } from '../net/journal.ts';
import { PROGRAM } from './host.ts';

export interface RawHostOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly program?: string;
  /** Arguments for Node itself, such as `--require FILE`. */
  readonly nodeArgs?: readonly string[];
  /** Starts the program; `spawn` with this Node unless a test has another. */
  readonly launch?: (
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
  ) => ChildProcessWithoutNullStreams;
}

const launchHere: NonNullable<RawHostOptions['launch']> = (argv, env) =>
  spawn(process.execPath, [...argv], { env: { ...env }, stdio: 'pipe' });

export interface HostLine {
  /** Milliseconds since the start of the program. */
  readonly atMs: number;
  /** The bytes before the line break, as text. */
  readonly text: string;
  /** Undefined where the line is not a JSON object. */
  readonly message: Message | undefined;
}

export interface Message {
  readonly jsonrpc?: unknown;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

/** The built program as a bare process: what goes in, what comes out, when and how it ends. */
export class RawHost implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines = new Journal<HostLine>();
  readonly exited: Promise<Exit>;
  /** As `exited`, and all output has been read; comes later, or never while reading is paused. */
  readonly closed: Promise<Exit>;
  readonly #startedAt = performance.now();
  #stderr = '';
  #partial: Buffer[] = [];
  #bytesRead = 0;
  #nextId = 1;

  constructor(args: readonly string[], options: RawHostOptions) {
    const argv = [...(options.nodeArgs ?? []), options.program ?? PROGRAM, ...args];
    this.child = (options.launch ?? launchHere)(argv, options.env);
    this.child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
    });
    // Writing to a program that has gone is what some tests are about.
    this.child.stdin.on('error', () => undefined);
    const ended = (event: 'exit' | 'close') =>
      new Promise<Exit>((resolve, reject) => {
        this.child.once('error', reject);
        this.child.once(event, (code, signal) => resolve({ code, signal, atMs: this.#now() }));
      });
    this.exited = ended('exit');
    this.closed = ended('close');
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Milliseconds since the start of the program. */
  get atMs(): number {
    return this.#now();
  }

  /** Writes one line, or bytes as they are. */
  send(line: string | Buffer | object): void {
    if (Buffer.isBuffer(line)) this.child.stdin.write(line);
    else this.child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** Sends a request and waits for its answer. */
  async request(method: string, params?: unknown, options: WaitOptions = {}): Promise<Message> {
    const id = this.#nextId++;
    this.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
    return this.answer(id, { what: `the answer to ${method} (id ${id})`, ...options });
  }

  notify(method: string, params?: unknown): void {
    this.send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) });
  }

  async answer(id: string | number | null, options: WaitOptions = {}): Promise<Message> {
    const isAnswer = ({ message }: HostLine) =>
      message !== undefined && message.id === id && message.method === undefined;
    const { message } = await this.lines.waitFor(isAnswer, { what: `the answer to ${id}`, ...options });
    return message as Message;
  }

  /** The handshake of a 2025-11-25 host. */
  async initialize(capabilities: object = {}, options: WaitOptions = {}): Promise<Message> {
    const clientInfo = { name: 'raw-host', version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo };
    const answer = await this.request('initialize', params, options);
    this.notify('notifications/initialized');
    return answer;
  }

  async waitFor(matches: (message: Message) => boolean, options: WaitOptions = {}): Promise<Message> {
    const line = await this.lines.waitFor(
      ({ message }) => message !== undefined && matches(message),
      options,
    );
    return line.message as Message;
  }

  /** Fails unless stdout held whole JSON-RPC lines and nothing else. */
  assertPure(): void {
    const impure = this.lines.entries.find(({ message }) => message?.jsonrpc !== '2.0');
    if (impure !== undefined) throw new Error(`not JSON-RPC on stdout: ${impure.text.slice(0, 300)}`);
    const rest = Buffer.concat(this.#partial);
    if (rest.length > 0)
      throw new Error(`a line without its end on stdout: ${rest.toString().slice(0, 300)}`);
  }

  /** Fails where an id was answered more than once. */
  assertOneAnswerEach(): void {
    const seen = new Set<string>();
    for (const { message } of this.lines.entries) {
      if (message?.id === undefined || message.id === null || message.method !== undefined) continue;
      const id = JSON.stringify(message.id);
      if (seen.has(id)) throw new Error(`${id} was answered twice`);
      seen.add(id);
    }
  }

  /** As a host that does not read: the pipe fills. */
  pauseReading(): void {
    this.child.stdout.pause();
  }

  resumeReading(): void {
    this.child.stdout.resume();
  }

  /** As a host that is gone: the next write of the program is EPIPE. */
  closeStdout(): void {
    this.child.stdout.destroy();
  }

  endStdin(): void {
    this.child.stdin.end();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill();
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #now(): number {
    return performance.now() - this.#startedAt;
  }

  #take(chunk: Buffer): void {
    this.#bytesRead += chunk.length;
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#partial.push(chunk.subarray(start, end));
      const text = Buffer.concat(this.#partial).toString('utf8');
      this.#partial = [];
      start = end + 1;
      this.lines.add({ atMs: this.#now(), text, message: parse(text) });
    }
    if (start < chunk.length) this.#partial.push(chunk.subarray(start));
  }
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Message)
      : undefined;
  } catch {
    return undefined;
  }
}

export function startRawHost(args: readonly string[], options: RawHostOptions): RawHost {
  return new RawHost(args, options);
}
