import { Client as ModernClient } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { EraTransport } from '../../../src/eras/era-transport.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { Era } from '../../../src/protocol/revisions.ts';
import type { CachedServer } from '../../../src/protocol/server-cache.ts';
import { createTransport } from '../../../src/remote/transport/create-transport.ts';
import { authorized, ComposedBridge, type ComposeOptions } from './composed-bridge.ts';

const MAX_MESSAGE_BYTES = 32 * 1024 ** 2;

export interface EraBridgeOptions extends ComposeOptions {
  readonly era?: Era;
  readonly remembered?: CachedServer;
  readonly logger?: Logger;
}

/** A bridge in this process, with what stands between the eras; `eras` are the verdicts on the server, in order. */
export async function composeEraBridge(
  url: string,
  options: EraBridgeOptions = {},
): Promise<{ readonly bridge: ComposedBridge; readonly eras: readonly Era[] }> {
  const http = await createHttp({ env: {} });
  const origin = {
    http,
    url: new URL(url),
    headers: options.headers ?? [],
    userAgent: 'test',
    maxMessageBytes: MAX_MESSAGE_BYTES,
  };
  const inner = await createTransport('auto', origin, { read: async () => ({}), update: () => {} });
  const eras: Era[] = [];
  const transport = new EraTransport({
    transport: authorized(inner, options),
    memory: {
      read: async () => (options.era === undefined ? {} : { era: options.era }),
      update: ({ era }) => void (era !== undefined && eras.push(era)),
    },
    clock: options.clock ?? systemClock,
    random: systemRandom,
    logger: options.logger ?? silentLogger,
  });
  return { bridge: new ComposedBridge(http, transport, [], options), eras };
}

/** The stdio of an SDK client, with the bridge of this process at the other end. */
export class BridgeStdio {
  // biome-ignore lint/suspicious/noExplicitAny: the two SDKs have types of their own for the same messages.
  onmessage?: (message: any) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** By these two the SDK 2.x knows stdio from HTTP. */
  readonly stderr = null;
  readonly pid = null;
  readonly #bridge: ComposedBridge;

  constructor(bridge: ComposedBridge) {
    this.#bridge = bridge;
  }

  async start(): Promise<void> {
    // One by one, as from a pipe: the SDK 1.x forgets the progress of a call whose answer comes in the same turn.
    this.#bridge.received.onEntry(({ json }) => void setImmediate(() => this.onmessage?.(json)));
    this.#bridge.read();
  }

  async send(message: object): Promise<void> {
    this.#bridge.send(message);
  }

  async close(): Promise<void> {
    await this.#bridge.end();
    this.onclose?.();
  }
}

const IDENTITY = { name: 'matrix-host', version: '1.0.0' };

/** A host made of the SDK 1.x. */
export async function connectLegacy(
  bridge: ComposedBridge,
  prepare: (client: LegacyClient) => void = () => {},
): Promise<LegacyClient> {
  const client = new LegacyClient(IDENTITY, { capabilities: { elicitation: {}, sampling: {}, roots: {} } });
  prepare(client);
  await client.connect(new BridgeStdio(bridge));
  return client;
}

/** A host made of the SDK 2.x that speaks revision 2026-07-28 and no other. */
export async function connectModern(
  bridge: ComposedBridge,
  prepare: (client: ModernClient) => void = () => {},
): Promise<ModernClient> {
  const client = new ModernClient(IDENTITY, {
    capabilities: { elicitation: {}, sampling: {}, roots: {} },
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  prepare(client);
  await client.connect(new BridgeStdio(bridge));
  return client;
}
