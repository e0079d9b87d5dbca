import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../net/certificates.ts';
import { Journal } from '../net/journal.ts';
import { readBody } from '../net/listening.ts';

export interface TlsMcpServerOptions extends Identity {
  /** Clients have to show a certificate of this authority. */
  readonly clientAuthority?: string;
}

/** A bare MCP server over TLS: JSON replies, no session. */
export class TlsMcpServer implements AsyncDisposable {
  /** Connections, whatever became of their handshake. */
  connections = 0;
  /** The common name of the certificate that each request came with. */
  readonly clients = new Journal<string | string[] | undefined>();
  readonly #server: Server;

  constructor({ cert, key, clientAuthority }: TlsMcpServerOptions) {
    this.#server = createServer({
      cert,
      key,
      ...(clientAuthority === undefined
        ? {}
        : { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }),
    });
    this.#server.on('connection', () => this.connections++);
    this.#server.on('request', async (request, response) => {
      this.clients.add((request.socket as TLSSocket).getPeerCertificate()?.subject?.CN);
      const body = (await readBody(request)).toString('utf8');
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method } = JSON.parse(body);
      if (id === undefined) return void response.writeHead(202).end();
      const initializeResult = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'tls', version: '0' },
      };
      const result = method === 'initialize' ? initializeResult : { method };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  }

  url(host = '127.0.0.1'): string {
    return `https://${host}:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function startTlsMcpServer(options: TlsMcpServerOptions): Promise<TlsMcpServer> {
  return new TlsMcpServer(options).start();
}
