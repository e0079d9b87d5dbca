import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from '../figures.ts';
import type { Subject } from '../links/link.ts';
import { askFor, headOf, INITIALIZE, INITIALIZED } from '../messages.ts';

/** How long the process is suspended, as if the machine slept. */
const ASLEEP_MS = 3_000;

/** What the design bounds in time: a cancellation on its way, the first call after sleep, and the end of the process. */
export async function measureEnds(subject: Subject): Promise<Figures> {
  if (subject.kind !== 'command') throw new Error('without a bridge, nothing ends');
  const server = await startSilentServer();
  try {
    return {
      'cancellation at the server': await measureCancellation(subject, server),
      'first call after sleep': await measureAfterSleep(subject, server),
      'exit after SIGTERM, a call under way': await measureSignal(subject, server),
      'exit after EPIPE': await measureEpipe(subject, server),
    };
  } finally {
    server.close();
  }
}

type Command = Extract<Subject, { kind: 'command' }>;

async function measureCancellation(subject: Command, server: SilentServer): Promise<number> {
  const host = await startHost(subject, server.url);
  const called = server.next('tools/call');
  host.write(askFor(1, 0, 'json'));
  await called;
  const cancelled = server.next('notifications/cancelled');
  const from = performance.now();
  host.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }));
  await cancelled;
  const took = performance.now() - from;
  await host.end();
  return took;
}

async function measureAfterSleep(subject: Command, server: SilentServer): Promise<number> {
  const host = await startHost(subject, server.url);
  host.child.kill('SIGSTOP');
  await sleep(ASLEEP_MS);
  const from = performance.now();
  host.child.kill('SIGCONT');
  await host.ask(2, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
  const took = performance.now() - from;
  await host.end();
  return took;
}

async function measureSignal(subject: Command, server: SilentServer): Promise<number> {
  const host = await startHost(subject, server.url);
  const called = server.next('tools/call');
  host.write(askFor(1, 0, 'json'));
  await called;
  const from = performance.now();
  host.child.kill('SIGTERM');
  await host.exited;
  return performance.now() - from;
}

/** The host stops reading; the process learns of it with the next line that it writes. */
async function measureEpipe(subject: Command, server: SilentServer): Promise<number> {
  const host = await startHost(subject, server.url);
  host.child.stdout?.destroy();
  const from = performance.now();
  host.write(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
  await host.exited;
  return performance.now() - from;
}

interface Host {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  write(message: string): void;
  ask(id: number, message: string): Promise<void>;
  end(): Promise<void>;
}

/** The bridge at this address, after its handshake. */
async function startHost({ argv, env }: Command, url: string): Promise<Host> {
  const [command, ...args] = argv.map((part) => (/^https?:/.test(part) ? url : part));
  const child = spawn(command as string, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => {}); // Of a process that is gone: its exit is what is waited for.
  const lines = createInterface(child.stdout);
  const write = (message: string) => void child.stdin.write(`${message}\n`);
  const ask = (id: number, message: string) => {
    const answered = new Promise<void>((resolve) => {
      const look = (line: string) => {
        if (headOf(Buffer.from(line)).id !== id) return;
        lines.off('line', look);
        resolve();
      };
      lines.on('line', look);
    });
    write(message);
    return answered;
  };
  await ask(0, INITIALIZE);
  write(INITIALIZED);
  await ask(1, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
  const end = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { child, exited, write, ask, end };
}

interface SilentServer {
  readonly url: string;
  /** Resolves when the next message with this method is there. */
  next(method: string): Promise<void>;
  close(): void;
}

/** An MCP server that answers all but calls. */
async function startSilentServer(): Promise<SilentServer> {
  const waiting: { readonly method: string; readonly resolve: () => void }[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method } = headOf(Buffer.concat(chunks));
    for (const one of waiting.filter((each) => each.method === method)) {
      waiting.splice(waiting.indexOf(one), 1);
      one.resolve();
    }
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'tools/call') return;
    const result =
      method === 'initialize'
        ? {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'silent', version: '1.0.0' },
          }
        : { tools: [{ name: 'answer', inputSchema: { type: 'object' } }] };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    next: (method) => new Promise((resolve) => waiting.push({ method, resolve })),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
