import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { Journal } from '../net/journal.ts';

/** The built program. */
export const PROGRAM = fileURLToPath(new URL('../../../dist/launch.cjs', import.meta.url));

export interface HostOptions {
  /** The environment of the program; `TemporaryHome.env()` makes one. */
  readonly env: Readonly<Record<string, string>>;
  readonly capabilities?: ClientCapabilities;
  /** Runs before the handshake: request and notification handlers. */
  readonly prepare?: (client: Client) => void;
  readonly name?: string;
  readonly program?: string;
}

/** A host made of the official SDK's client over stdio, with the built program as its server. */
export class Host implements AsyncDisposable {
  readonly client: Client;
  readonly transport: StdioClientTransport;
  readonly errors = new Journal<Error>();
  readonly notifications = new Journal<{ readonly method: string; readonly params?: unknown }>();
  #stderr = '';

  constructor(args: readonly string[], options: HostOptions) {
    this.transport = new StdioClientTransport({
      command: process.execPath,
      args: [options.program ?? PROGRAM, ...args],
      env: { ...options.env },
      stderr: 'pipe',
    });
    this.transport.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
    });
    this.client = new Client(
      { name: options.name ?? 'test-host', version: '1.0.0' },
      { capabilities: options.capabilities ?? {} },
    );
    this.client.onerror = (error) => this.errors.add(error);
    this.client.fallbackNotificationHandler = async (notification) => this.notifications.add(notification);
    options.prepare?.(this.client);
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number | null {
    return this.transport.pid;
  }

  async connect(): Promise<this> {
    await this.client.connect(this.transport);
    return this;
  }

  /** Ends the program's stdin and waits for it to go. */
  async close(): Promise<void> {
    await this.client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Starts the program and shakes hands. */
export function startHost(args: readonly string[], options: HostOptions): Promise<Host> {
  return new Host(args, options).connect();
}
