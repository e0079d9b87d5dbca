import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { DrawbridgeError } from '../../errors.ts';

/** The HTTP answer to a request of the browser. */
export interface ListenerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where to listen for the redirect and how to answer it. */
export interface ListenOptions {
  /** The host of the redirect URI as written, accepted in `Host` besides the loopback names. */
  readonly host: string;
  /** Undefined: any free port. */
  readonly port: number | undefined;
  readonly path: string;
  /** Called for each request that may come from a browser, with the raw query (without `?`). */
  readonly answer: (query: string) => Promise<ListenerAnswer>;
}

/** An open listener. */
export interface LoopbackListener {
  readonly port: number;
  /** Stops listening, finishes the answers being written and drops silent connections. */
  close(): Promise<void>;
}

/** Opens a listener. Rejects with CallbackPortError. */
export type Listen = (options: ListenOptions) => Promise<LoopbackListener>;

/** The port of the redirect URI cannot be opened, mostly because another program uses it. */
export class CallbackPortError extends DrawbridgeError {
  readonly code = 'callback_port';
}

/** .github/SECURITY.md, attack 32: a browser on this machine sends its few hundred bytes of headers at once; a slower client is not a browser. */
const REQUEST_TIMEOUT_MS = 5_000;
/** By default Node checks for late requests only every 30 s. */
const TIMEOUT_CHECK_MS = 1_000;
/** .github/SECURITY.md, attack 32: a browser opens a handful at most. A connection over the limit drops the oldest silent one. */
const MAX_CONNECTIONS = 32;
/** The request line and headers. Real codes and states take up to a few KiB; a longer request is not a redirect. */
const MAX_REQUEST_BYTES = 16 * 1024;
/** The time limit for `close` to wait for answers that are being written. */
const CLOSE_GRACE_MS = 1_000;
/** How many ports to try: a port that is free on IPv4 can be taken on IPv6. */
const PORT_ATTEMPTS = 8;

/** Listens for the redirect on IPv4 and IPv6 loopback; the port is bound when it resolves (.github/SECURITY.md, attack 35). */
export const listenOnLoopback: Listen = async (options) => {
  const connections = new Connections();
  for (let attempt = 1; ; attempt++) {
    const v4 = createLoopbackServer(options, connections);
    const v6 = createLoopbackServer(options, connections);
    try {
      const port = await bind(v4, '127.0.0.1', options.port ?? 0);
      await bind(v6, '::1', port).catch((error) => {
        if (!isFamilyMissing(error)) throw error;
      });
      return { port, close: () => connections.close([v4, v6]) };
    } catch (error) {
      v4.close();
      v6.close();
      if (options.port === undefined && attempt < PORT_ATTEMPTS) continue;
      throw portError(error, options.port);
    }
  }
};

function portError(error: unknown, port: number | undefined): CallbackPortError {
  const { code } = error as NodeJS.ErrnoException;
  if (port === undefined) {
    return new CallbackPortError('no loopback port could be opened for the sign-in', { cause: error });
  }
  const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened (${code})`;
  return new CallbackPortError(`port ${port}, which the browser needs to return from the sign-in, ${why}`, {
    cause: error,
    hint: 'Free the port, choose another one, or leave the port out.',
  });
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isFamilyMissing(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function createLoopbackServer(options: ListenOptions, connections: Connections): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_REQUEST_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAlive: false,
    },
    (request, response) => {
      connections.busy(request.socket);
      void respond(request, response, options);
    },
  );
  server.maxRequestsPerSocket = 1;
  server.on('connection', (socket) => connections.add(socket));
  server.on('upgrade', (_request, socket) => socket.destroy());
  return server;
}

async function respond(request: IncomingMessage, response: ServerResponse, options: ListenOptions) {
  const refusal = refuse(request, options);
  const answer =
    refusal ?? (await options.answer(queryOf(request)).catch(() => plain(500, 'Something failed.')));
  response.writeHead(answer.status, { ...answer.headers, connection: 'close' });
  response.end(answer.body);
}

/** .github/SECURITY.md, attack 31: a request that no browser sends when it follows the redirect is refused before the state is checked. */
function refuse(request: IncomingMessage, options: ListenOptions): ListenerAnswer | undefined {
  if (!isOurHost(request, options.host)) return plain(403, 'This host name is not served here.');
  if (request.method !== 'GET') return plain(405, 'Only GET is answered here.', { allow: 'GET' });
  if (request.url?.split('?', 1)[0] !== options.path) return plain(404, 'There is nothing here.');
  if (
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0
  ) {
    return plain(413, 'A body is not expected here.');
  }
  const mode = request.headers['sec-fetch-mode'];
  if (mode !== undefined && mode !== 'navigate') return plain(403, 'Only page visits are answered here.');
  return undefined;
}

/** Checks `Host` against DNS rebinding: a page whose name was rebound to loopback still sends its own name. */
function isOurHost({ headers, socket, rawHeaders }: IncomingMessage, configured: string): boolean {
  const sent = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  if (sent.length !== 1) return false;
  const names = ['127.0.0.1', 'localhost', '[::1]', configured.toLowerCase()];
  const suffix = socket.localPort === 80 ? /(:80)?$/ : new RegExp(`:${socket.localPort}$`);
  const host = headers.host?.toLowerCase() ?? '';
  return suffix.test(host) && names.includes(host.replace(suffix, ''));
}

function queryOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}

function plain(status: number, text: string, headers: Record<string, string> = {}): ListenerAnswer {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      ...headers,
    },
    body: `${text}\n`,
  };
}

/** The listener's sockets: those that have been silent so far, oldest first, and those that have sent a request. */
class Connections {
  readonly #silent = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  add(socket: Socket): void {
    this.#silent.add(socket);
    socket.once('close', () => {
      this.#silent.delete(socket);
      this.#busy.delete(socket);
    });
    if (this.#silent.size + this.#busy.size <= MAX_CONNECTIONS) return;
    // If the newest were refused instead, 32 silent connections could keep the browser out.
    const [oldest] = this.#silent;
    (oldest ?? socket).destroy();
  }

  busy(socket: Socket): void {
    if (this.#silent.delete(socket)) this.#busy.add(socket);
  }

  async close(servers: readonly Server[]): Promise<void> {
    for (const server of servers) server.close();
    for (const socket of this.#silent) socket.destroy();
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS);
    });
    const ended = [...this.#busy].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    await Promise.race([Promise.all(ended), grace]);
    clearTimeout(timer);
    for (const socket of this.#busy) socket.destroy();
  }
}
