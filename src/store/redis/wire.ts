import type { Socket } from 'node:net';
import CommandModule from 'iovalkey/built/Command.js';
import DataHandlerModule, { type DataHandledable } from 'iovalkey/built/DataHandler.js';
import { BadReplyError } from './errors.ts';
import { ReplyGuard } from './reply-guard.ts';

const Command = classOf(CommandModule);
const DataHandler = classOf(DataHandlerModule);

/** A reply of RESP2, with strings as bytes. */
export type Reply = Uint8Array | number | null | readonly Reply[];

/**
 * A connection as the client library reads and writes it. Only its two innermost parts are used: one writes commands, the other reads replies, finds the command
 * of each, and knows subscriptions. The rest of it connects, queues and sends again, and is not even loaded. Incoming data is checked first, and an exception
 * of the library while it reads an unexpected reply ends the connection and not the process.
 */
export class Wire {
  /** The number of bytes that have arrived. */
  heard = 0;
  readonly #socket: Socket;
  readonly #guard = new ReplyGuard();
  readonly #onEnd: (reason: unknown) => void;
  #read: (chunk: Buffer) => void = () => undefined;
  readonly #handled: Pick<DataHandledable, 'commandQueue'>;
  #hasEnded = false;

  /** `onEnd`: called once, with the reason; it is undefined if the peer just closed the connection. `onMessage`: called with the channel of each message. */
  constructor(socket: Socket, onEnd: (reason: unknown) => void, onMessage: (channel: string) => void) {
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#handled = this.#handle(onMessage);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // A server that has ended its side accepts nothing any more.
    socket.on('end', () => this.end(undefined));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(undefined));
  }

  get isOpen(): boolean {
    return !this.#hasEnded && this.#socket.writable;
  }

  /** Sends one command, once. Rejects with the error that the server replies; never settles if the connection ends first. */
  send(name: string, words: (string | number | Buffer)[]): Promise<Reply> {
    const command = new Command(name, words, { replyEncoding: null });
    this.#handled.commandQueue.push({ command, stream: this.#socket, select: 0 });
    this.#socket.write(command.toWritable(this.#socket));
    return command.promise as Promise<Reply>;
  }

  /** Ends the connection at once. */
  end(reason: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.destroy();
    this.#onEnd(reason);
  }

  #take(chunk: Buffer): void {
    if (this.#hasEnded) return;
    this.heard += chunk.length;
    try {
      this.#guard.check(chunk);
      this.#read(chunk);
    } catch (error) {
      this.end(
        error instanceof BadReplyError ? error : new BadReplyError('an unreadable answer', { cause: error }),
      );
    }
  }

  /** What the library takes for its client. */
  #handle(onMessage: (channel: string) => void): Pick<DataHandledable, 'commandQueue'> {
    const outOfTurn = (cause: unknown) => this.end(new BadReplyError('an answer out of turn', { cause }));
    const handled = {
      status: 'ready',
      condition: { select: 0, subscriber: false },
      commandQueue: [],
      stream: {
        prependListener: (_event: string, read: (chunk: Buffer) => void) => {
          this.#read = read;
        },
        resume: () => undefined,
      },
      listeners: () => [],
      emit: (event: string, value: unknown) => {
        if (event === 'messageBuffer') onMessage(String(value));
        // A reply without a command: after it, replies could no longer be matched.
        if (event === 'error') outOfTurn(value);
      },
      handleReconnection: (error: Error, { command }: { command: { reject: (error: Error) => void } }) =>
        command.reject(error),
      recoverFromFatalError: outOfTurn,
    } as unknown as DataHandledable;
    new DataHandler(handled, { stringNumbers: false });
    return handled;
  }
}

/** The only export of a CommonJS module, which some loaders unwrap and Node does not. */
function classOf<T extends object>(module: T | { readonly default: T }): T {
  return 'default' in module ? module.default : module;
}
