import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** `pass`, `hole` (nothing passes, neither side is notified), `refuse` (connections are reset). */
export type ProxyMode = 'pass' | 'hole' | 'refuse';

/** Stands before a server on this machine, and leads to another one when it is told. Both ways may be held, delayed or cut by themselves. */
export class TcpProxy implements AsyncDisposable {
  mode: ProxyMode = 'pass';
  /** For what the server sends; undefined: as `mode`. */
  down: ProxyMode | undefined;
  delayMs = 0;
  /** The next answers of the server: that many bytes pass, then the connection is reset. */
  resetAfterBytes: number | undefined;
  connections = 0;
  target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #swallowed = new WeakSet<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.#sockets.size / 2;
  }

  /** Resets what is open; new connections are made as `mode` says. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nothing passes any more on what is open, or no answers, and neither side is notified; new connections are made as `mode` says. */
  swallow(what: 'all' | 'answers' = 'all'): void {
    for (const socket of this.#sockets)
      if (what === 'all' || socket.localPort === this.port) this.#swallowed.add(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.connections++;
    client.on('error', () => undefined);
    if (this.mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    server.on('error', () => undefined);
    const pair = [client, server] as const;
    for (const socket of pair) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const each of pair) each.destroy();
      });
    }
    client.on('data', (chunk) => void this.#pass(chunk, server, () => this.mode));
    server.on('data', (chunk) => {
      const left = this.resetAfterBytes;
      if (left === undefined) return void this.#pass(chunk, client, () => this.down ?? this.mode);
      this.resetAfterBytes = undefined;
      client.write(chunk.subarray(0, left), () => client.resetAndDestroy());
    });
  }

  async #pass(chunk: Buffer, to: Socket, mode: () => ProxyMode): Promise<void> {
    if (this.delayMs > 0) await delay(this.delayMs);
    if (mode() === 'pass' && !this.#swallowed.has(to)) to.write(chunk);
  }
}
