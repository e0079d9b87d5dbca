import { PassThrough } from 'node:stream';
import type { Authorization } from '../../../src/auth/authorization.ts';
import type { BridgeOutcome, StopReason } from '../../../src/bridge/relay/parts.ts';
import { type BridgeCommandParts, bridge } from '../../../src/commands/bridge.ts';
import { bridgeParts } from '../../../src/compose/bridge.ts';
import type { Platform } from '../../../src/compose/platform.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import type { Http, HttpRequest } from '../../../src/platform/http/http.ts';
import { createHttp, type HttpOptions } from '../../../src/platform/http/undici.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import type { Era } from '../../../src/protocol/revisions.ts';
import type { CachedServer } from '../../../src/protocol/server-cache.ts';
import { BadAnswerError } from '../../../src/remote/http/errors.ts';
import type { TransportKind } from '../../../src/remote/transport/auto-transport.ts';
import { Journal } from '../net/journal.ts';
import { testPlatform } from './test-platform.ts';

export interface ComposeOptions
  extends Partial<
    Pick<
      Config,
      'headers' | 'tools' | 'maxMessageBytes' | 'wait' | 'transport' | 'cookies' | 'pingIntervalMs'
    >
  > {
  readonly authorization?: Authorization;
  /** What was found out about the server last time. */
  readonly remembered?: CachedServer;
  /** Called with each thing that is to be remembered. */
  readonly onRemember?: (change: CachedServer) => void;
  readonly parentIsGone?: () => boolean;
  readonly logger?: Logger;
  readonly http?: Partial<HttpOptions>;
  /** Sees each request on its way to the connection. */
  readonly onHttpRequest?: (request: HttpRequest) => void;
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

/** A server without OAuth. */
const openServer: Authorization = {
  current: async () => undefined,
  recover: async () => {
    throw new BadAnswerError('the server asks for authorization, and this bridge has none');
  },
  worked: () => {},
  close: async () => {},
};

/** Makes the parts of a bridge on this platform; `onHostGone` as the program passes it. */
export type Compose = (platform: Platform, onHostGone: () => void) => Promise<BridgeCommandParts>;

/** The program's bridge in this process, with streams in place of stdin and stdout: the test is the host. */
export class ComposedBridge implements AsyncDisposable {
  readonly received = new Journal<HostMessage>();
  /** What the bridge found out about the server, in order. */
  readonly remembered: readonly CachedServer[];
  readonly stdout: PassThrough;
  readonly done: Promise<BridgeOutcome>;
  readonly #stdin: PassThrough;
  readonly #stop: AbortController;

  private constructor(
    parts: BridgeCommandParts,
    host: { readonly stdin: PassThrough; readonly stdout: PassThrough },
    stop: AbortController,
    remembered: readonly CachedServer[],
  ) {
    this.#stdin = host.stdin;
    this.stdout = host.stdout;
    this.#stop = stop;
    this.remembered = remembered;
    this.done = bridge(parts, stop.signal);
    this.done.catch(() => {});
  }

  /** Runs what `compose` makes as the program's default command. `remembered`: a list to which the parts add what they find out. */
  static async start(
    compose: Compose,
    platform: Partial<Platform> = {},
    { highWaterMark, remembered = [] }: { highWaterMark?: number; remembered?: CachedServer[] } = {},
  ): Promise<ComposedBridge> {
    const stdin = new PassThrough();
    const stdout = new PassThrough(highWaterMark === undefined ? {} : { highWaterMark });
    const stop = new AbortController();
    const parts = await compose(testPlatform({ ...platform, stdin, stdout }), () => stop.abort('host-gone'));
    return new ComposedBridge(parts, { stdin, stdout }, stop, remembered);
  }

  get transportsFound(): readonly TransportKind[] {
    return this.remembered.flatMap(({ transport }) => transport ?? []);
  }

  get erasFound(): readonly Era[] {
    return this.remembered.flatMap(({ era }) => era ?? []);
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
  }
}

/** A bridge to `url` that asks for no login: with the settings, the authorization and the server cache of the options. */
export async function composeBridge(url: string, options: ComposeOptions = {}): Promise<ComposedBridge> {
  const { authorization = openServer, logger = silentLogger, clock = systemClock, highWaterMark } = options;
  const { http, onHttpRequest, parentIsGone, onRemember, remembered: before = {}, ...settings } = options;
  const remembered: CachedServer[] = [];
  const memory = {
    read: async () => before,
    update: (change: CachedServer) => {
      remembered.push(change);
      onRemember?.(change);
    },
    flush: async () => {},
  };
  const parsed = loadConfig([url, '--allow-http'], {}, readSettingsFile);
  if (parsed.command !== 'bridge') throw new Error(`the arguments mean ${parsed.command}`);
  const config = { ...parsed.config, ...settings };
  return ComposedBridge.start(
    (platform, onHostGone) => bridgeParts(config, platform, logger, { authorization, memory }, onHostGone),
    {
      clock,
      createHttp: async (given) => {
        const made = await createHttp({ ...given, ...http });
        const request: Http['request'] = (sent) => {
          onHttpRequest?.(sent);
          return made.request(sent);
        };
        return { ...made, request };
      },
      ...(parentIsGone === undefined ? {} : { watchParent: () => parentIsGone }),
    },
    { remembered, ...(highWaterMark === undefined ? {} : { highWaterMark }) },
  );
}
