import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Identity } from '../net/certificates.ts';
import { Journal } from '../net/journal.ts';

/** What to answer to a command; undefined: nothing. A function writes as it likes. */
export type OddAnswer = string | Uint8Array | undefined | ((socket: Socket) => void);

/** Takes commands as Redis does, and answers whatever the test wants: what no real server would, or only on a bad day. */
export class OddRedis implements AsyncDisposable {
  readonly commands = new Journal<readonly string[]>();
  /** One entry for each connection that has ended, with the bytes that went out on it. */
  readonly ended = new Journal<number>();
  answer: (words: readonly string[]) => OddAnswer;
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: (words: readonly string[]) => OddAnswer, tls: Identity | undefined) {
    this.answer = answer;
    const accept = (socket: Socket) => this.#accept(socket);
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
    this.#scheme = tls === undefined ? 'redis' : 'rediss';
  }

  static async start(answer: (words: readonly string[]) => OddAnswer, tls?: Identity): Promise<OddRedis> {
    const server = new OddRedis(answer, tls);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.ended.add(socket.bytesWritten);
    });
    let unread = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (let found = readCommand(unread); found !== undefined; found = readCommand(unread)) {
        unread = unread.subarray(found.end);
        this.commands.add(found.words);
        const answer = this.answer(found.words);
        if (typeof answer === 'function') answer(socket);
        else if (answer !== undefined) socket.write(answer);
      }
    });
  }
}

/** Writes the same bytes again and again for as long as anybody reads them. */
export function flood(begin: string, piece: Uint8Array): (socket: Socket) => void {
  return (socket) => {
    socket.write(begin);
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', more);
    more();
  };
}

/** The first whole command, an array of bulk strings (RESP2), and where it ends. */
function readCommand(bytes: Buffer): { readonly words: string[]; readonly end: number } | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const count = Number(line()?.slice(1));
  const words: string[] = [];
  while (words.length < count) {
    const length = Number(line()?.slice(1));
    if (!(at + length + 2 <= bytes.length)) return undefined;
    words.push(bytes.toString('latin1', at, at + length));
    at += length + 2;
  }
  return Number.isNaN(count) ? undefined : { words, end: at };
}
