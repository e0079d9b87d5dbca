import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Between programs and one server: connections that were open when it was cut pass nothing until they are healed, and neither side is notified. */
export class ProxyForEach implements AsyncDisposable {
  readonly #target: URL;
  #server: Server;
  #port = 0;
  readonly #pairs = new Set<Pair>();
  readonly #cut: Pair[] = [];

  constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((program) => this.#accept(program));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Nobody is there any more: connections end, and none is taken. */
  async leave(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#server = createServer((program) => this.#accept(program));
  }

  cutAll(): void {
    for (const pair of this.#pairs) {
      pair.program.pause();
      pair.server.pause();
      this.#cut.push(pair);
    }
  }

  /** What was on its way goes on. */
  healOne(): void {
    const pair = this.#cut.shift();
    pair?.program.resume();
    pair?.server.resume();
  }

  #accept(program: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair = { program, server };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [program, server],
      [server, program],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => undefined);
      from.once('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program, server } of this.#pairs) {
      program.destroy();
      server.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Pair {
  readonly program: Socket;
  readonly server: Socket;
}
