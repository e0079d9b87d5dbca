import type { HostWriter } from '../../host/writer.ts';
import { onOneLine } from '../../host/writer.ts';
import type { Logger } from '../../platform/log/logger.ts';
import {
  type Envelope,
  errorAnswer,
  isBatch,
  LOOKED_AT_BYTES,
  lookAtMessage,
  type MessageId,
  RpcErrorCode,
} from '../../protocol/jsonrpc.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { excerpt } from '../../remote/http/refusal.ts';
import type { OpenRequest, RequestTable } from './pending-requests.ts';

/** Its `message` is made when it is asked for: a large answer is relayed without being parsed. */
export type Answer = Extract<Envelope, { kind: 'response' }>;

export interface InboxOptions {
  readonly table: RequestTable;
  readonly writer: HostWriter;
  readonly logger: Logger;
  /** Told of each answer that goes to the host, before it goes. */
  readonly onAnswer: (request: OpenRequest, answer: Answer) => void;
  /** Whether the host has said that it can be asked so. Where not, the request was refused in its name. */
  readonly mayAsk: (id: MessageId, method: string) => boolean;
}

/** What comes from the server, on its way to the host: each id is answered once, everything else passes as it came. */
export class Inbox {
  readonly #options: InboxOptions;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /**
   * Hands one message of the server on. A promise, where there is one, resolves when the host has room for more. Throws BadAnswerError when it is
   * no message.
   */
  deliver(received: Uint8Array | string): Promise<void> | undefined {
    const { table, writer, logger } = this.#options;
    // It goes out as bytes in any case, and bytes are what is looked at fast.
    const text =
      typeof received === 'string' && received.length >= LOOKED_AT_BYTES ? Buffer.from(received) : received;
    const parsed = lookAtMessage(text);
    switch (parsed.kind) {
      case 'response': {
        const request = table.take(parsed.id);
        if (request === undefined) {
          logger.warn('dropped an answer that nothing waits for', { id: parsed.id });
          return undefined;
        }
        if (request.answerHere !== undefined) {
          request.answerHere(parsed.message);
          return undefined;
        }
        this.#options.onAnswer(request, parsed);
        return writer.write(asLine(text));
      }
      case 'request':
        // THREATS 21: a host is not asked for what it never offered.
        if (!this.#options.mayAsk(parsed.id, parsed.method)) return undefined;
        return writer.write(asLine(text));
      case 'notification':
        return writer.write(asLine(text));
      case 'batch':
        // Revision 2025-03-26 lets a server answer a batch with a batch; the host gets member by member.
        return this.#deliverEach(parsed.members);
      case 'not-json':
        throw new BadAnswerError(`the server sent something that is not JSON: ${excerpt(text)}`);
      case 'not-a-message':
        throw new BadAnswerError(`the server sent JSON that is no JSON-RPC message: ${excerpt(text)}`);
    }
  }

  async #deliverEach(members: readonly Uint8Array[]): Promise<void> {
    for (const member of members) {
      // JSON-RPC 2.0 §6: a batch holds messages; one in another, 200,000 deep, would be split as often (THREATS 17).
      if (isBatch(member)) throw new BadAnswerError('the server sent a batch within a batch');
      await this.deliver(member);
    }
  }

  /** Answers a request with an error of the bridge's own, unless it was answered already. */
  fail(request: OpenRequest, message: string, data?: unknown, code: number = RpcErrorCode.bridge): void {
    if (this.#options.table.get(request.id) !== request) return;
    this.#options.table.take(request.id);
    if (request.answerHere !== undefined) {
      request.answerHere({ error: { code, message } });
    } else if (!request.cancelled) {
      void this.#options.writer.write(errorAnswer(request.id, code, message, data));
    }
  }
}

/** One line for the host: the bytes as they came, unless they hold raw line breaks. */
function asLine(text: Uint8Array | string): Uint8Array | string {
  if (typeof text !== 'string') return onOneLine(text);
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}
