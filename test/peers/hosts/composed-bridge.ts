import { PassThrough } from 'node:stream';
import type { Authorization } from '../../../src/auth/authorization.ts';
import { runBridge } from '../../../src/bridge/bridge.ts';
import type { BridgeOutcome, BridgeParts, StopReason } from '../../../src/bridge/relay/parts.ts';
import { AuthorizedTransport } from '../../../src/bridge/session/authorized-transport.ts';
import { createHostWriter } from '../../../src/host/writer.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { HttpRequest } from '../../../src/platform/http/http.ts';
import { createHttp, type HttpOptions } from '../../../src/platform/http/undici.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { CachedServer, ServerCache } from '../../../src/protocol/server-cache.ts';
import { createCookies } from '../../../src/remote/http/cookies.ts';
import { BadAnswerError } from '../../../src/remote/http/errors.ts';
import type { TransportKind } from '../../../src/remote/transport/auto-transport.ts';
import { createTransport, type TransportChoice } from '../../../src/remote/transport/create-transport.ts';
import type { Transport } from '../../../src/remote/transport/transport.ts';
import { Journal } from '../net/journal.ts';

export interface ComposeOptions {
  readonly authorization?: Authorization;
  readonly headers?: readonly (readonly [string, string])[];
  readonly remembered?: CachedServer;
  /** Called with each thing that is to be remembered. */
  readonly onRemember?: () => void;
  readonly maxMessageBytes?: number;
  readonly wait?: boolean;
  readonly parentIsGone?: () => boolean;
  readonly logger?: Logger;
  readonly transport?: TransportChoice;
  /** What was found last time. */
  readonly lastTransport?: TransportKind;
  readonly cookies?: boolean;
  readonly http?: Partial<HttpOptions>;
  /** Sees each request on its way to the connection. */
  readonly onHttpRequest?: (request: HttpRequest) => void;
  readonly pingIntervalMs?: number;
  readonly toolFilter?: BridgeParts['toolFilter'];
  readonly clock?: Clock;
  /** Bytes that the host's side takes before it has to be read. */
  readonly highWaterMark?: number;
}

/** A message as the host sees it. */
export interface HostMessage {
  readonly line: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever a server may send.
  readonly json: any;
}

const DEFAULT_MESSAGE_BYTES = 32 * 1024 ** 2;

/** A server without OAuth. */
const openServer: Authorization = {
  current: async () => undefined,
  recover: async () => {
    throw new BadAnswerError('the server asks for authorization, and this bridge has none');
  },
  worked: () => {},
  close: async () => {},
};

/** The transport as the program composes it: it adds the bearer. */
export function authorized(transport: Transport, options: ComposeOptions): Transport {
  return new AuthorizedTransport({
    transport,
    authorization: options.authorization ?? openServer,
    clock: options.clock ?? systemClock,
  });
}

/** A bridge in this process, with streams in place of stdin and stdout: the host's side in the hands of a test. */
export class ComposedBridge implements AsyncDisposable {
  readonly received = new Journal<HostMessage>();
  readonly remembered: CachedServer[] = [];
  readonly stdout: PassThrough;
  readonly done: Promise<BridgeOutcome>;
  /** What was found out about the transport, each time it was. */
  readonly transportsFound: readonly TransportKind[];
  readonly #stdin = new PassThrough();
  readonly #stop = new AbortController();
  readonly #close: () => Promise<void>;

  constructor(
    http: Awaited<ReturnType<typeof createHttp>>,
    transport: Transport,
    transportsFound: readonly TransportKind[],
    options: ComposeOptions,
  ) {
    this.stdout = new PassThrough(
      options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark },
    );
    const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MESSAGE_BYTES;
    const memory: ServerCache = {
      read: async () => options.remembered ?? {},
      update: (change) => {
        this.remembered.push(change);
        options.onRemember?.();
      },
    };
    this.transportsFound = transportsFound;
    this.#close = () => http.close();
    this.done = runBridge(
      {
        stdin: this.#stdin,
        writer: createHostWriter(this.stdout, () => this.stop('host-gone')),
        transport,
        authorization: options.authorization ?? openServer,
        memory,
        clock: options.clock ?? systemClock,
        random: systemRandom,
        logger: options.logger ?? silentLogger,
        version: '0.0.0-test',
        maxMessageBytes,
        wait: options.wait ?? false,
        parentIsGone: options.parentIsGone ?? (() => false),
        ...(options.pingIntervalMs === undefined ? {} : { pingIntervalMs: options.pingIntervalMs }),
        ...(options.toolFilter === undefined ? {} : { toolFilter: options.toolFilter }),
      },
      this.#stop.signal,
    );
    this.done.catch(() => {});
  }

  /** Starts to read what the bridge writes. */
  read(): this {
    let held = '';
    this.stdout.setEncoding('utf8');
    this.stdout.on('data', (text: string) => {
      const lines = (held + text).split('\n');
      held = lines.pop() as string;
      for (const line of lines) this.received.add({ line, json: JSON.parse(line) });
    });
    return this;
  }

  send(...messages: (string | object)[]): void {
    for (const message of messages) {
      this.#stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
    }
  }

  write(bytes: Uint8Array | string): void {
    this.#stdin.write(bytes);
  }

  /** Sends a request and waits for its answer. */
  async request(id: string | number, method: string, params?: unknown): Promise<HostMessage> {
    this.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
    return this.answer(id);
  }

  answer(id: string | number | null, from = 0): Promise<HostMessage> {
    const matches = ({ json }: HostMessage) => json.id === id && json.method === undefined;
    return this.received.waitFor(matches, { what: `the answer to ${JSON.stringify(id)}`, from });
  }

  answersTo(id: string | number): number {
    return this.received.count(({ json }) => json.id === id && json.method === undefined);
  }

  /** The handshake as a host of 2025 does it. */
  async initialize(params: Record<string, unknown> = {}, id: string | number = 'init'): Promise<HostMessage> {
    const answer = await this.request(id, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test-host', version: '1' },
      ...params,
    });
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return answer;
  }

  end(): Promise<BridgeOutcome> {
    this.#stdin.end();
    return this.done;
  }

  stop(reason: StopReason): void {
    this.#stop.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop('host-gone');
    await this.done.catch(() => {});
    await this.#close();
  }
}

export async function composeBridge(url: string, options: ComposeOptions = {}): Promise<ComposedBridge> {
  const http = await createHttp({ env: {}, ...options.http });
  const found: TransportKind[] = [];
  const transport = await createTransport(
    options.transport ?? 'auto',
    {
      http: {
        ...http,
        request: (request) => {
          options.onHttpRequest?.(request);
          return http.request(request);
        },
      },
      url: new URL(url),
      headers: options.headers ?? [],
      userAgent: 'mcp-drawbridge/test',
      maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MESSAGE_BYTES,
      ...(options.cookies === false ? {} : { cookies: createCookies(systemClock.now) }),
    },
    {
      read: async () => (options.lastTransport === undefined ? {} : { transport: options.lastTransport }),
      update: ({ transport }) => void (transport !== undefined && found.push(transport)),
    },
  );
  return new ComposedBridge(http, authorized(transport, options), found, options);
}
