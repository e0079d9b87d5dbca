import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Identity } from './certificates.ts';

export interface Listening {
  readonly server: Server;
  readonly port: number;
  readonly origin: string;
  /** Drops every connection and frees the port. */
  close(): Promise<void>;
}

/** Well above the pause between two requests of a test, so that no reused connection dies under its request. */
const KEEP_ALIVE_MS = 60_000;

/** What a server over TLS shows, and the authority of the client certificates for which it asks, without insisting. */
export interface TlsIdentity extends Identity {
  readonly clientAuthority?: string;
}

/** A loopback HTTP server on a free port (or the one given, for a server that comes back), over TLS where it has a certificate. */
export async function listen(
  handler: RequestListener,
  port = 0,
  host = '127.0.0.1',
  tls?: TlsIdentity,
): Promise<Listening> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tlsOptions(tls), handler);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    server,
    port: bound,
    origin: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A loopback port on which nothing listens now: for a server that another program opens. */
export async function freePort(): Promise<number> {
  const { port, close } = await listen(() => {});
  await close();
  return port;
}

function tlsOptions({ cert, key, clientAuthority }: TlsIdentity) {
  const asking = { ca: clientAuthority, requestCert: true, rejectUnauthorized: false };
  return { cert, key, ...(clientAuthority === undefined ? {} : asking) };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
