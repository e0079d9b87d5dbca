import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { AgentRequest, AgentSays } from './agent-messages.ts';
import { NODE, startWine, windowsPath } from './wine.ts';

export interface RefreshDecision {
  readonly command: string;
  readonly args: readonly string[];
  /** Beside what each Windows program has. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The arguments are one command line as it stands. */
  readonly verbatim?: boolean;
}

/** The agent on the Windows side, and the processes that it has started. */
export class Windows implements AsyncDisposable {
  readonly #agent: ChildProcess;
  readonly #socket: Socket;
  readonly #listeners = new Map<number, (said: AgentSays) => void>();
  #last = 0;

  private constructor(agent: ChildProcess, socket: Socket) {
    this.#agent = agent;
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => {
      const said = JSON.parse(line) as AgentSays;
      this.#listeners.get(said.id)?.(said);
    });
  }

  /** The script of the agent is written to this folder. */
  static async start(folder: string): Promise<Windows> {
    const script = `${folder}/agent.cjs`;
    const entryPoints = [fileURLToPath(new URL('agent-script.ts', import.meta.url))];
    await build({ entryPoints, outfile: script, bundle: true, platform: 'node', format: 'cjs' });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const agent = startWine([NODE, windowsPath(script), String(address.port)]);
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const ended = once(agent, 'exit').then(([code]) =>
      Promise.reject(new Error(`no agent: exit code ${code}`)),
    );
    const [socket] = await Promise.race([connected, ended]);
    ended.catch(() => 'it ends with the test');
    server.close();
    return new Windows(agent, socket);
  }

  /** As `child_process.spawn` on Windows, by a Windows program. */
  spawn(start: RefreshDecision): ChildProcessWithoutNullStreams {
    const id = ++this.#last;
    const child = new WindowsProcess((request) => this.#ask({ id, ...request }));
    this.#listeners.set(id, (said) => child.take(said));
    const { command, args, env = {}, cwd, verbatim = false } = start;
    this.#ask({ id, do: 'start', command, args, env, verbatim, ...(cwd === undefined ? {} : { cwd }) });
    return child as unknown as ChildProcessWithoutNullStreams;
  }

  /** Opens a file as programs do that share it with nobody (scanners, backups), until the function is called that it resolves to. */
  async hold(path: string): Promise<() => Promise<void>> {
    const id = ++this.#last;
    const heard = () =>
      new Promise<void>((resolve, reject) => {
        this.#listeners.set(id, (said) =>
          said.is === 'failed' ? reject(new Error(`${path}: ${said.reason}`)) : resolve(),
        );
      });
    const held = heard();
    this.#ask({ id, do: 'hold', path: windowsPath(path) });
    await held;
    return async () => {
      const released = heard();
      this.#ask({ id, do: 'release' });
      await released;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (this.#agent.exitCode === null) await once(this.#agent, 'exit');
  }

  #ask(request: AgentRequest): void {
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }
}

type Bare<T> = T extends AgentRequest ? Omit<T, 'id'> : never;

/** What of a `ChildProcess` the tests' hosts use. */
class WindowsProcess extends EventEmitter {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly stdin: Writable;
  readonly signalCode = null;
  pid: number | undefined;
  exitCode: number | null = null;
  readonly #ask: (request: Bare<AgentRequest>) => void;

  constructor(ask: (request: Bare<AgentRequest>) => void) {
    super();
    this.#ask = ask;
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        ask({ do: 'stdin', data: Buffer.from(chunk).toString('base64') });
        done();
      },
      final: (done) => {
        ask({ do: 'end-stdin' });
        done();
      },
    });
  }

  kill(): boolean {
    this.#ask({ do: 'kill' });
    return true;
  }

  take(said: AgentSays): void {
    switch (said.is) {
      case 'started':
        this.pid = said.pid;
        this.emit('spawn');
        return;
      case 'failed':
        this.emit('error', new Error(said.reason));
        return;
      case 'stdout':
      case 'stderr':
        this[said.is].write(Buffer.from(said.data, 'base64'));
        return;
      case 'exited':
        this.exitCode = said.code;
        this.emit('exit', said.code, null);
        return;
      case 'closed':
        this.stdout.end();
        this.stderr.end(() => this.emit('close', this.exitCode, null));
        return;
    }
  }
}
