import { DrawbridgeError, describeError } from '../../errors.ts';
import { HttpError } from '../../platform/http/http.ts';
import { logFailure } from '../../platform/log/unexpected-error.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { capitalized } from '../../protocol/quote.ts';
import type { BadAnswerError } from '../../remote/http/errors.ts';
import type { MessageOptions, SessionHeaders } from '../../remote/http/message-options.ts';
import { type ResumeDeps, resumeStream } from '../../remote/session/resume.ts';
import type { Events, ServerReply } from '../../remote/transport/transport.ts';
import type { HostDelivery } from './host-delivery.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';

export interface ResponseReaderOptions extends ResumeDeps, Pick<MessageOptions, 'beforeBody'> {
  readonly hostDelivery: HostDelivery;
  readonly table: PendingRequests;
  /** Aborts when the bridge closes. */
  readonly signal: StopSignal;
  /** Whether an answer could still come over the server's own stream in this session. */
  readonly mayBring: (session: SessionHeaders) => boolean;
}

/** How far a stream has been read. */
interface Position {
  lastEventId: string | undefined;
  retryMs: number | undefined;
  /** The last event that was no message. It is the request's error if no answer follows. */
  badEvent: BadAnswerError | undefined;
}

const newPosition = (): Position => ({ lastEventId: undefined, retryMs: undefined, badEvent: undefined });

/** Reads the server's reply to a request to its end. When `read` resolves, the request has been answered. */
export class ResponseReader {
  readonly #options: ResponseReaderOptions;

  constructor(options: ResponseReaderOptions) {
    this.#options = options;
  }

  /** This session's stream has ended: requests that the server accepted in it will not be answered. */
  silenced(session: SessionHeaders): void {
    for (const request of this.#options.table.all()) {
      if (request.acceptedIn !== session) continue;
      this.#failUnanswered(
        request,
        'the server accepted this request, but its stream ended without a response',
      );
    }
  }

  /** An error of the server becomes the request's error. Rejects only when the request is given up or the program is wrong. */
  async read(reply: ServerReply, request: PendingRequest, session: SessionHeaders): Promise<void> {
    const { hostDelivery } = this.#options;
    try {
      if (reply.kind === 'message') {
        const full = hostDelivery.deliver(reply.json);
        if (full !== undefined) await full;
      } else if (reply.kind === 'events') await this.#readStream(reply, request, session);
      else if (reply.promisesResponse && this.#options.mayBring(session)) {
        request.acceptedIn = session;
        return;
      }
      this.#failUnanswered(request, 'the server ended its response without answering this request');
    } catch (error) {
      if (request.stop.signal.aborted) throw request.stop.signal.reason;
      if (!(error instanceof DrawbridgeError)) throw error;
      this.#failUnanswered(request, describeError(error));
    }
  }

  /** Relays the rest of a stream for which no request waits. Never rejects. */
  async drain(reply: Events, what: string): Promise<void> {
    const { logger, signal } = this.#options;
    try {
      const failure = await this.#readEvents(reply, newPosition());
      if (failure !== undefined) throw failure;
    } catch (error) {
      if (!signal.aborted) logFailure(logger, `${what} broke`, error);
    }
  }

  #failUnanswered(request: PendingRequest, why: string): void {
    if (request.isSettled) return;
    this.#options.hostDelivery.fail(request, `${capitalized(why)}. The call may have run.`, {
      mayHaveRun: true,
    });
  }

  #waits(request: PendingRequest): boolean {
    return !request.isSettled && !request.cancelled;
  }

  async #readStream(reply: Events, request: PendingRequest, session: SessionHeaders): Promise<void> {
    const position = newPosition();
    let failure = await this.#readEvents(reply, position);
    // Specification 2025-11-25, Transports → Resumability and Redelivery: a stream that breaks is taken up after its last event.
    while (this.#waits(request) && position.lastEventId !== undefined) {
      const { lastEventId, retryMs } = position;
      const { signal } = request.stop;
      const { beforeBody } = this.#options;
      const resumed = await resumeStream(this.#options, {
        session,
        signal,
        beforeBody,
        lastEventId,
        retryMs,
      });
      if (resumed === undefined) break;
      failure = await this.#readEvents(resumed, position);
    }
    const why = failure ?? position.badEvent;
    if (why !== undefined && this.#waits(request)) throw why;
  }

  /** Reads to the end of the stream. A broken connection is returned, any other error is thrown. */
  async #readEvents(reply: Events, position: Position): Promise<HttpError | undefined> {
    const onDropped = (failure: BadAnswerError) => {
      position.badEvent = failure;
    };
    try {
      for await (const events of reply.events) {
        for (const { id, data } of events) {
          const full = data === '' ? undefined : this.#options.hostDelivery.deliverEvent(data, onDropped);
          if (full !== undefined) await full;
          // Not earlier: an event counts as received when the host has it.
          if (id !== undefined) position.lastEventId = id;
        }
      }
      return undefined;
    } catch (error) {
      if (error instanceof HttpError) return error;
      throw error;
    } finally {
      position.retryMs = reply.retryMs() ?? position.retryMs;
    }
  }
}
