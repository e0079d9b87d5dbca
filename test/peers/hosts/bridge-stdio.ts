import { Client as ModernClient } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import type { ComposedBridge } from './composed-bridge.ts';

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
