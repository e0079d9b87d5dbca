import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
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
  const sockets = openSockets(server);
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
        // `closeAllConnections()` knows only those that speak HTTP: one without a TLS handshake, or taken over by a handler, is not among them.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The open connections of this server, from TCP's accept on. */
function openSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Systems choose the port of whoever asks for none from 32768 up (Linux) or from 49152 up (macOS, Windows). */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/**
 * A port for a server that another program opens, or that goes away and comes back. Nobody else gets it meanwhile: no system gives
 * it to a listener that asks for any port, and a UDP socket on the same number, which lives as long as this process, keeps it from the
 * tests of other processes.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!(await reserve(port))) continue;
    try {
      await (await listen(() => {}, port, '0.0.0.0')).close();
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

/** False: another process has it. */
function reserve(port: number): Promise<boolean> {
  const socket = createSocket('udp4').unref();
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
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
