import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { BadReplyError } from './errors.ts';
import { ReplyGuard } from './reply-guard.ts';

/**
 * The connection that the client library gets: incoming data is checked first, and an exception of the library while it reads an unexpected reply ends the
 * connection and not the process.
 */
export class GuardedStream extends Duplex {
  readonly #socket: Socket;
  readonly #guard = new ReplyGuard();
  /** The number of bytes that have arrived. */
  heard = 0;
  /** Why it ended; undefined if the peer just closed it. */
  reason: unknown;

  constructor(socket: Socket) {
    super({ allowHalfOpen: false, emitClose: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    // A server that has ended its side accepts nothing any more.
    this.on('end', () => this.destroy());
    this.on('error', (error) => {
      this.reason ??= error;
    });
  }

  // Methods that the library expects of a socket, and that the system's connection already has.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args);
    try {
      return super.emit(event, ...args);
    } catch (cause) {
      this.destroy(new BadReplyError('an unreadable answer', { cause }));
      return true;
    }
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    this.heard += chunk.length;
    try {
      this.#guard.check(chunk);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (!this.push(chunk)) this.#socket.pause();
  }
}
