import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

/** plain: lines written by hand, revision 2025-11-25. 2025: the SDK 1.x. 2026: the SDK 2.x, which negotiates the era. */
export const HOST_NAMES = ['plain', '2025', '2026'] as const;
export type HostName = (typeof HOST_NAMES)[number];

export type Result = { readonly [name: string]: unknown };

export interface ConformanceHost {
  connect(): Promise<void>;
  /** A request of the host; rejects with the error it was answered with. */
  request(method: string, params?: { readonly [name: string]: unknown }): Promise<Result>;
  /** Ends the program's stdin and waits for it to go. */
  close(): Promise<void>;
}

export interface HostSettings {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

const IDENTITY = { name: 'conformance-host', version: '1.0.0' };
const CAPABILITIES = { elicitation: { form: { applyDefaults: true } }, roots: {} };

/** What the person answers: yes to everything, and nothing where a default stands. */
function answer(params: unknown): { readonly action: 'accept'; readonly content: Record<string, never> } {
  const properties = Object(Object(Object(params).requestedSchema).properties) as Record<string, Result>;
  const content: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if ('default' in schema) content[name] = schema.default;
    else if (schema.type === 'boolean') content[name] = true;
  }
  return { action: 'accept', content: content as Record<string, never> };
}

export function createHost(name: HostName, settings: HostSettings): ConformanceHost {
  switch (name) {
    case 'plain':
      return new PlainHost(settings);
    case '2025':
      return legacyHost(settings);
    case '2026':
      return modernHost(settings);
  }
}

function legacyHost(settings: HostSettings): ConformanceHost {
  const client = new LegacyClient(IDENTITY, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params));
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }));
  return {
    connect: () => client.connect(new LegacyStdio({ ...settings, stderr: 'inherit' })),
    request: (method, params) =>
      client.request({ method, ...(params === undefined ? {} : { params }) }, z.looseObject({})),
    close: () => client.close(),
  };
}

function modernHost(settings: HostSettings): ConformanceHost {
  const client = new ModernClient(IDENTITY, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: 'auto' },
  });
  client.setRequestHandler('elicitation/create', ({ params }) => answer(params));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  const calls: Record<string, (params: never) => Promise<Result>> = {
    'tools/list': () => client.listTools(),
    'tools/call': (params) => client.callTool(params),
    'resources/list': () => client.listResources(),
    'resources/read': (params) => client.readResource(params),
    'prompts/list': () => client.listPrompts(),
    'prompts/get': (params) => client.getPrompt(params),
  };
  return {
    connect: () => client.connect(new ModernStdio({ ...settings, stderr: 'inherit' })),
    request: (method, params) => {
      const call = calls[method];
      if (call === undefined) throw new Error(`no call of the SDK for ${method}`);
      return call(params as never);
    },
    close: () => client.close(),
  };
}

/** The least that a host can be. */
class PlainHost implements ConformanceHost {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (result: Result) => void; reject: (error: Error) => void }
  >();
  readonly #exited: Promise<void>;
  #nextId = 0;

  constructor({ command, args, env }: HostSettings) {
    this.#child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    void this.#exited.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the program has gone'));
    });
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.#take(JSON.parse(line)));
  }

  async connect(): Promise<void> {
    const params = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, clientInfo: IDENTITY };
    await this.request('initialize', params);
    this.#send({ method: 'notifications/initialized' });
  }

  request(method: string, params?: { readonly [name: string]: unknown }): Promise<Result> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, method, ...(params === undefined ? {} : { params }) });
    });
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }

  #send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #take(message: Result): void {
    const { id, method, params, result, error } = message;
    if (method === 'elicitation/create') return this.#send({ id, result: answer(params) });
    if (method === 'roots/list') return this.#send({ id, result: { roots: [] } });
    if (typeof method === 'string' && id !== undefined) return this.#send({ id, result: {} });
    const waiting = this.#waiting.get(id as number);
    if (method !== undefined || waiting === undefined) return;
    this.#waiting.delete(id as number);
    if (error === undefined) waiting.resolve(result as Result);
    else waiting.reject(new Error(JSON.stringify(error)));
  }
}
