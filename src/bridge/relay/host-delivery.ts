import { isUtf8 } from 'node:buffer';
import { AbortedError } from '../../errors.ts';
import type { HostWriter } from '../../host/writer.ts';
import { onOneLine } from '../../host/writer.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { logUnexpected, UNEXPECTED_ERROR } from '../../platform/log/unexpected-error.ts';
import { rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import {
  errorAnswer,
  isBatch,
  LOOKED_AT_BYTES,
  lookAtMessage,
  type MessageId,
  RpcErrorCode,
  textOf,
} from '../../protocol/jsonrpc.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { excerpt } from '../../remote/http/refusal.ts';
import type { ToolFilter } from '../tools/tool-filter.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { Answer, ServerAnswers } from './server-answers.ts';

export interface HostDeliveryOptions {
  readonly table: PendingRequests;
  readonly writer: HostWriter;
  readonly logger: Logger;
  /** Told of each answer to a request of the host, before it is written. */
  readonly serverAnswers: Pick<ServerAnswers, 'accept'>;
  /** Takes hidden tools out of the answer to `tools/list`. */
  readonly toolFilter?: Pick<ToolFilter, 'answer'> | undefined;
  /** Whether the host declared that it answers such requests. If not, the request has been refused in the host's name. */
  readonly mayAsk: (id: MessageId, method: string) => boolean;
  /** Answers a request of the server in the host's name. */
  readonly answerServer: (answer: string) => void;
}

/** Delivers the server's messages to the host: each id is answered once, everything else is passed on unchanged. */
export class HostDelivery {
  readonly #options: HostDeliveryOptions;

  constructor(options: HostDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Passes on one message of the server. If it returns a promise, the promise resolves when the host has room for more. Throws BadAnswerError
   * when the text is no message, and nothing else.
   */
  deliver(received: Uint8Array | string): Promise<void> | undefined {
    const { writer } = this.#options;
    // It is sent as bytes in any case, and bytes are fast to scan.
    const text =
      typeof received === 'string' && received.length >= LOOKED_AT_BYTES ? Buffer.from(received) : received;
    const parsed = lookAtMessage(text);
    switch (parsed.kind) {
      case 'response':
        return this.#answer(parsed, text);
      case 'request':
        return this.#ask(parsed.id, parsed.method, text);
      case 'notification':
        return writer.write(asLine(text));
      case 'batch':
        // Revision 2025-03-26 lets a server answer a batch with a batch; the host gets each member separately.
        return this.#deliverEach(parsed.members);
      case 'not-json':
        throw new BadAnswerError(`the server sent something that is not JSON: ${excerpt(text)}`);
      case 'not-a-message':
        if (parsed.id !== null) this.#failMeant(parsed.id, text);
        throw notAMessage(text);
    }
  }

  /**
   * As `deliver`, for an event of a stream. An event that is no message is dropped, since the next event may be the answer; `onDropped` is called
   * with the error instead.
   */
  deliverEvent(
    data: Uint8Array | string,
    onDropped: (failure: BadAnswerError) => void = () => {},
  ): Promise<void> | undefined {
    const dropped = (error: unknown) => {
      if (!(error instanceof BadAnswerError)) return logUnexpected(this.#options.logger, 'an event', error);
      this.#options.logger.warn('dropped an event that is no message', { error: error.message });
      onDropped(error);
    };
    try {
      return this.deliver(data)?.catch(dropped);
    } catch (error) {
      dropped(error);
      return undefined;
    }
  }

  #answer(answer: Answer, text: Uint8Array | string): Promise<void> | undefined {
    const { table, writer, logger, toolFilter, serverAnswers } = this.#options;
    const request = table.find(answer.id);
    if (request === undefined) {
      logger.warn('dropped an answer that nothing waits for', { id: answer.id });
      return undefined;
    }
    try {
      if (request.onResponse !== undefined) {
        const { message } = answer;
        table.settle(request.id);
        request.onResponse(message);
        return undefined;
      }
      const instead = serverAnswers.accept(request, answer);
      if (instead !== undefined) {
        table.settle(request.id);
        return writer.write(instead);
      }
      const own = answer.id === request.id ? text : underId(text, request.id);
      const shown = request.method === 'tools/list' ? (toolFilter?.answer(own) ?? own) : own;
      const line = asLine(shown);
      table.settle(request.id);
      return writer.write(line);
    } catch (error) {
      this.failUnexpectedly(request, error);
      return undefined;
    }
  }

  #ask(id: MessageId, method: string, text: Uint8Array | string): Promise<void> | undefined {
    try {
      // A host gets no request that it never offered to answer.
      if (!this.#options.mayAsk(id, method)) return undefined;
      return this.#options.writer.write(asLine(text));
    } catch (error) {
      logUnexpected(this.#options.logger, `the server's request ${method}`, error);
      this.#options.answerServer(errorAnswer(id, RpcErrorCode.internal, UNEXPECTED_ERROR));
      return undefined;
    }
  }

  async #deliverEach(members: readonly Uint8Array[]): Promise<void> {
    let failure: BadAnswerError | undefined;
    for (const member of members) {
      try {
        // JSON-RPC 2.0 §6: a batch holds messages. Batches nested 200,000 deep would be split 200,000 times.
        if (isBatch(member)) throw new BadAnswerError('the server sent a batch within a batch');
        await this.deliver(member);
      } catch (error) {
        if (!(error instanceof BadAnswerError)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** A malformed answer. No other answer will follow, so the request must not wait for one. */
  #failMeant(id: MessageId, text: Uint8Array | string): void {
    const request = this.#options.table.find(id);
    const members = JSON.parse(textOf(text));
    if (request === undefined || 'method' in members || !('result' in members || 'error' in members)) return;
    const why = notAMessage(text).message.replace(/^the/, 'The');
    this.fail(request, `${why}. The call may have run.`, { mayHaveRun: true });
    request.stop.abort(new AbortedError('answered with an error'));
  }

  /** Answers a request with an error that the bridge makes, unless the request has been answered already. */
  fail(request: PendingRequest, message: string, data?: unknown, code: number = RpcErrorCode.bridge): void {
    if (request.isSettled) return;
    this.#options.table.settle(request.id);
    if (request.onResponse !== undefined) {
      request.onResponse({ error: { code, message } });
    } else if (!request.cancelled) {
      void this.#options.writer.write(errorAnswer(request.id, code, message, data));
    }
  }

  /** An error in the program itself ends this request, and nothing else. */
  failUnexpectedly(request: PendingRequest, error: unknown): void {
    logUnexpected(this.#options.logger, `the request ${request.method}`, error);
    this.fail(request, UNEXPECTED_ERROR, { mayHaveRun: request.mayHaveRun }, RpcErrorCode.internal);
  }
}

function notAMessage(text: Uint8Array | string): BadAnswerError {
  if (typeof text !== 'string' && !isUtf8(text)) {
    return new BadAnswerError('the server sent a message that is not UTF-8');
  }
  return new BadAnswerError(`the server sent JSON that is not a JSON-RPC message: ${excerpt(text)}`);
}

/** One line for the host: the bytes unchanged, unless they contain raw line breaks. */
function asLine(text: Uint8Array | string): Uint8Array | string {
  if (typeof text !== 'string') return onOneLine(text);
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}

/** The answer with the id as the host wrote it: the server may have spelled it differently. */
function underId(text: Uint8Array | string, id: MessageId): string {
  return rawObject(rawMembers(textOf(text)).set('id', id));
}
