import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../authorization-servers/authorization-server.ts';
import type { ProviderExtras } from '../authorization-servers/authorization-server-provider.ts';
import { type SseMcpServer, startSseMcpServer } from '../mcp-servers/bare/sse-mcp-server.ts';
import { DpopGate, type DpopGateOptions } from '../mcp-servers/dpop-gate.ts';
import { type PeerMcpServer, startMcpServer } from '../mcp-servers/mcp-server.ts';
import { BridgeWorld } from './bridge-world.ts';

export interface DpopWorldOptions
  extends Partial<Pick<DpopGateOptions, 'nonces' | 'required' | 'bearer' | 'clockOffsetMs'>> {
  readonly args?: readonly string[];
  /** What speaks behind the gate. */
  readonly server?: 'streamable' | 'sse';
  /** Of the authorization server; it binds tokens to keys where nothing else is said. */
  readonly extras?: ProviderExtras;
}

export interface DpopWorld extends AsyncDisposable {
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer | SseMcpServer;
  readonly gate: DpopGate;
  readonly world: BridgeWorld;
}

/** An authorization server that wants a nonce in each proof, a server that verifies proofs, and a bridge to it. */
export async function createDpopWorld(options: DpopWorldOptions = {}): Promise<DpopWorld> {
  const { args = [], server: kind = 'streamable', extras, ...habits } = options;
  const authority = await startAuthorizationServer({ extras: { dpop: true, ...extras } });
  const server = kind === 'sse' ? await startSseMcpServer() : await startMcpServer();
  const gate = await DpopGate.start({
    inner: server.url,
    issuer: authority.issuer,
    tokens: authority.tokens,
    nonces: 'each',
    ...habits,
  });
  const world = await BridgeWorld.to(gate.url, args);
  return {
    authority,
    server,
    gate,
    world,
    [Symbol.asyncDispose]: async () => {
      for (const part of [world, gate, server, authority]) await part[Symbol.asyncDispose]();
    },
  };
}
