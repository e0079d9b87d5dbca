import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProxyFaults {
  /** Before each piece, each way. */
  latencyMs?: number;
  /** Pieces of this many bytes, each in a packet of its own. */
  sliceBytes?: number;
  /** Each connection, each way. */
  bytesPerSecond?: number;
  /** The connection is reset when this many bytes have come down. */
  resetAfterBytes?: number;
  /** The connection is ended when this many bytes have come down. */
  endAfterBytes?: number;
}

interface Pair {
  readonly host: Socket;
  readonly server: Socket;
  halfOpen: boolean;
  downBytes: number;
}

/** Stands between bridge and server and does to their connections what networks do. Faults may change while it runs. */
export class FaultProxy implements AsyncDisposable {
  faults: ProxyFaults = {};
  connections = 0;
  readonly #target: URL;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((host) => this.#accept(host));
  }

  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  get open(): number {
    return this.#pairs.size;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** What is open now stays open, and nothing passes any more, either way: neither side is told. */
  goHalfOpen(): void {
    for (const pair of this.#pairs) pair.halfOpen = true;
  }

  resetAll(): void {
    for (const { host, server } of this.#pairs) {
      host.resetAndDestroy();
      server.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { host, server } of this.#pairs) {
      host.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(host: Socket): void {
    this.connections++;
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair: Pair = { host, server, halfOpen: false, downBytes: 0 };
    this.#pairs.add(pair);
    for (const socket of [host, server]) {
      socket.setNoDelay(true);
      // The other side learns of it by the pump; an error here is what the proxy is for.
      socket.on('error', () => undefined);
    }
    void this.#pump(pair, host, server, false);
    void this.#pump(pair, server, host, true);
    host.once('close', () => {
      this.#pairs.delete(pair);
      server.destroy();
    });
  }

  async #pump(pair: Pair, from: Socket, to: Socket, down: boolean): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (const piece of slices(chunk, this.faults.sliceBytes)) {
          if (!(await this.#pass(pair, piece, to, down))) return;
        }
      }
      if (!pair.halfOpen) to.end();
    } catch {
      if (!pair.halfOpen) to.destroy();
    }
  }

  /** False: the connection is over. */
  async #pass(pair: Pair, piece: Buffer, to: Socket, down: boolean): Promise<boolean> {
    const { latencyMs, bytesPerSecond, sliceBytes, resetAfterBytes, endAfterBytes } = this.faults;
    if (latencyMs !== undefined) await delay(latencyMs);
    if (bytesPerSecond !== undefined) await delay((piece.length / bytesPerSecond) * 1000);
    // One turn of the event loop, so that each piece leaves on its own.
    if (sliceBytes !== undefined) await new Promise(setImmediate);
    if (pair.halfOpen) return true;
    const limit = down
      ? (resetAfterBytes ?? endAfterBytes ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
    const left = limit - pair.downBytes;
    if (down) pair.downBytes += piece.length;
    await new Promise((resolve) => to.write(piece.subarray(0, Math.max(0, left)), resolve));
    if (piece.length <= left) return true;
    if (resetAfterBytes === undefined) to.end();
    else to.resetAndDestroy();
    return false;
  }
}

function slices(chunk: Buffer, size: number | undefined): Buffer[] {
  if (size === undefined) return [chunk];
  return Array.from({ length: Math.ceil(chunk.length / size) }, (_, at) =>
    chunk.subarray(at * size, (at + 1) * size),
  );
}

export function startFaultProxy(target: string): Promise<FaultProxy> {
  return new FaultProxy(new URL(target)).start();
}
