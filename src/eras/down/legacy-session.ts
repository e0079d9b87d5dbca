import { AbortedError, DrawbridgeError, describeError } from '../../errors.ts';
import { abortable } from '../../platform/abortable.ts';
import { HttpError } from '../../platform/http/http.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import { ownId } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type Envelope, notification, parseMessage, serverRequest } from '../../protocol/jsonrpc.ts';
import { answersId, type MessageId, stringId } from '../../protocol/message-id.ts';
import { BadAnswerError } from '../../remote/http/errors.ts';
import { ACCEPT_MS, INITIALIZE_MS } from '../../remote/http/limits.ts';
import type { MessageOptions, SessionHeaders } from '../../remote/http/message-options.ts';
import { classifyRejection, endsSession, excerpt } from '../../remote/http/refusal.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import { readInitializeResponse } from '../../remote/session/initialize-response.ts';
import { type ResumeDeps, resumeStream } from '../../remote/session/resume.ts';
import { ServerStream } from '../../remote/session/server-stream.ts';
import { postWithoutPerson, sendInitialized } from '../../remote/session/without-person.ts';
import { postInitialize } from '../../remote/transport/initialize-fallback.ts';
import {
  type Events,
  isRejection,
  type Rejection,
  type Reply,
  statusOf,
} from '../../remote/transport/transport.ts';
import { NotLegacyError } from '../message/not-legacy.ts';
import { classifyInitialize, type Opening, openingOf } from '../message/probe-classifier.ts';
import { messagesIn, messagesOf, type Received, received } from '../message/reply.ts';
import { initializeParams } from './translate.ts';

/** What `LegacySession` needs. */
export interface LegacySessionOptions extends ResumeDeps {
  /** Called with each message that the server sends outside of an answer. */
  readonly onMessage: (message: Received) => Promise<void>;
  /** Called after a lost session was replaced: whatever the host had set up in the old one has to be set up again. */
  readonly onReopened: (options: MessageOptions) => Promise<void>;
}

/** A session that is being opened, and the number of requests that wait for it. */
interface Attempt {
  readonly outcome: Promise<Opened | Rejection>;
  readonly stop: AbortController;
  waiting: number;
}

interface Opened {
  readonly headers: SessionHeaders;
  readonly initializeResult: JsonObject;
}

/** The session with a legacy server that the bridge opens and keeps for a modern host, which does not know about sessions. */
export class LegacySession {
  readonly #options: LegacySessionOptions;
  readonly #ended = new AbortController();
  readonly #stream: ServerStream;
  #opened: Opened | undefined;
  #opening: Attempt | undefined;
  /** A session was lost: what the host had set up in it has to be set up in the next one. */
  #isLost = false;

  constructor(options: LegacySessionOptions) {
    this.#options = options;
    this.#stream = new ServerStream({
      ...options,
      fraction: () => options.random.fraction(),
      signal: this.#ended.signal,
      deliver: (data) => this.#deliver(data),
      onLost: (headers) => this.#forget(headers),
      onSilenced: () => {},
    });
  }

  get headers(): SessionHeaders {
    return this.#opened?.headers ?? {};
  }

  get initializeResult(): JsonObject {
    return this.#opened?.initializeResult ?? {};
  }

  /** The server's capability `name`, if it has declared one. */
  capability(name: string): JsonObject | undefined {
    const { capabilities } = this.initializeResult;
    const capability = isObject(capabilities) ? capabilities[name] : undefined;
    return isObject(capability) ? capability : undefined;
  }

  /**
   * Opens the session if there is none, on behalf of the host that sent `params`. Resolves with the server's rejection of `initialize`, if it
   * rejects it.
   */
  async open(params: unknown, options: MessageOptions): Promise<Rejection | undefined> {
    const opened = await this.#ensureOpen(params, options);
    return 'kind' in opened ? opened : undefined;
  }

  async #ensureOpen(params: unknown, options: MessageOptions): Promise<Opened | Rejection> {
    // While it is being opened nothing else goes out, also if only the settings of the lost one are missing yet.
    if (this.#opened !== undefined && this.#opening === undefined) return this.#opened;
    this.#opening ??= this.#attempt(params, options);
    const attempt = this.#opening;
    attempt.waiting++;
    try {
      return await abortable(attempt.outcome, options.signal);
    } finally {
      attempt.waiting--;
      // All requests that waited for the session were cancelled before it was open.
      if (attempt.waiting === 0 && this.#opening === attempt && this.#opened === undefined) {
        this.#opening = undefined;
        attempt.stop.abort(new AbortedError('no request waits for the session any more'));
      }
    }
  }

  #attempt(params: unknown, options: MessageOptions): Attempt {
    const stop = new AbortController();
    // The session outlives the request for which it is opened, so it does not end with that request's signal.
    const signal = anySignal([this.#ended.signal, stop.signal]);
    const { clock } = this.#options;
    const limit = { clock, ms: INITIALIZE_MS, signal, what: 'the answer to initialize', sent: false };
    const outcome = withinTimeLimit(limit, (within) => this.#open(params, { ...options, signal: within }));
    const attempt: Attempt = { outcome, stop, waiting: 0 };
    const over = () => {
      if (this.#opening === attempt) this.#opening = undefined;
    };
    outcome.then(over, over);
    return attempt;
  }

  /**
   * Sends within the session. If the server has lost the session, a new one is opened and the message is sent once more: the server did not
   * process it.
   */
  async post(body: string, params: unknown, options: MessageOptions): Promise<Reply> {
    for (let again = false; ; again = true) {
      const opened = await this.#ensureOpen(params, options);
      if ('kind' in opened) return opened;
      const { headers } = opened;
      const reply = await this.#options.transport.post(body, { ...options, session: headers });
      if (reply.kind !== 'refused' || again) return reply;
      const hadSession = headers.sessionId !== undefined;
      const parsed = parseMessage(body);
      const id = parsed.kind === 'request' ? parsed.id : undefined;
      const meaning = classifyRejection(reply.refusal, { hadSession, id, now: this.#options.clock.now() });
      if (endsSession(meaning)) this.#forget(headers);
      if (meaning.kind !== 'session-lost') return reply;
      options.progress?.returned();
    }
  }

  /** Resumes a broken stream after its last event; undefined if the server refuses or cannot be reached for too long. */
  resume(lastEventId: string, retryMs: number | undefined, signal: StopSignal): Promise<Reply | undefined> {
    return resumeStream(this.#options, { session: this.headers, signal, lastEventId, retryMs });
  }

  /** Sends a message that belongs to no request of the host: an answer, a cancellation, a setting. */
  async tell(body: string, signal: StopSignal): Promise<void> {
    const limit = { ms: ACCEPT_MS, what: 'the acceptance of a message' };
    await postWithoutPerson(this.#options.transport, body, { session: this.headers, signal, limit });
  }

  /** Sends a request of the bridge itself. Rejects with BadAnswerError if the server refuses it. */
  async ask(
    method: string,
    params: JsonObject,
    options: MessageOptions,
  ): Promise<Extract<Envelope, { kind: 'response' }>> {
    const id = this.#newId();
    const body = serverRequest(id, method, params);
    const { progress: _ofHost, ...rest } = options;
    const { clock, transport } = this.#options;
    const limit = { clock, ms: ACCEPT_MS, signal: options.signal, what: `the answer to ${method}` };
    return withinTimeLimit(limit, async (signal) => {
      const reply = await postWithoutPerson(transport, body, { ...rest, signal, session: this.headers });
      if (isRejection(reply)) throw new BadAnswerError(`the server refused ${method}: ${statusOf(reply)}`);
      for await (const { envelope } of messagesOf(reply)) {
        if (envelope.kind === 'response' && answersId(envelope.id, id)) return envelope;
      }
      throw new BadAnswerError(`the server ended its answer without answering ${method}`);
    });
  }

  /** Like `ask`, for optional requests: a failure is logged. Rejects only with the signal's reason or on a bug. */
  async tryAsk(method: string, params: JsonObject, options: MessageOptions): Promise<void> {
    try {
      await this.ask(method, params, options);
    } catch (error) {
      if (options.signal.aborted || !(error instanceof DrawbridgeError)) throw error;
      this.#options.logger.debug('a request of the bridge failed', { method, error: describeError(error) });
    }
  }

  /** Like `tryAsk`, for a request whose answer nobody waits for. */
  async askQuietly(method: string, params: JsonObject): Promise<void> {
    const { signal } = this.#ended;
    try {
      await this.tryAsk(method, params, { session: {}, signal });
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
    }
  }

  async end(options: MessageOptions): Promise<number> {
    this.#ended.abort(new AbortedError('the bridge is closing'));
    const { headers } = this;
    if (headers.sessionId === undefined) return 405;
    return this.#options.transport.end({ ...options, session: headers });
  }

  /** The session with these headers is gone. */
  #forget(headers: SessionHeaders): void {
    if (this.#opened?.headers !== headers) return;
    this.#stream.stop();
    this.#opened = undefined;
    this.#isLost = true;
  }

  #newId(): MessageId {
    return stringId(ownId(this.#options.random));
  }

  async #open(params: unknown, options: MessageOptions): Promise<Opened | Rejection> {
    const { transport } = this.#options;
    const id = this.#newId();
    const body = serverRequest(id, 'initialize', initializeParams(params));
    const { progress: _ofHost, ...rest } = options;
    const reply = await postInitialize(transport, body, { ...rest, session: {} });
    if (isRejection(reply)) {
      if (reply.kind === 'refused' && isModern(openingOf(reply)))
        throw new NotLegacyError('the server refused initialize', reply);
      return reply;
    }
    const { json, answer, opened, others, rest: following } = await readInitializeResponse(reply, id);
    // The bridge looks into this answer, so it must not be nested too deeply.
    received(json);
    if (opened === undefined) {
      const why = `the server refused initialize: ${excerpt(json)}`;
      throw isModern({ status: 200, answer }) ? new NotLegacyError(why) : new BadAnswerError(why);
    }
    const { session: headers, result } = opened;
    await this.#sendInitialized({ ...rest, session: headers });
    const session = { headers, initializeResult: result };
    this.#opened = session;
    // Over HTTP+SSE all further messages arrive on the stream of this answer; with other transports that stream ends now.
    void this.#drain(others, following);
    this.#stream
      .listen(headers)
      .catch((error: unknown) => logUnexpected(this.#options.logger, "the server's own stream", error));
    if (this.#isLost) {
      this.#isLost = false;
      await this.#options.onReopened(rest);
    }
    return session;
  }

  /** A timeout is only logged: a server that does not acknowledge the notification may have received it nevertheless. */
  async #sendInitialized(options: MessageOptions): Promise<void> {
    const { transport, logger } = this.#options;
    try {
      await sendInitialized(transport, notification('notifications/initialized'), options, logger);
    } catch (error) {
      if (options.signal.aborted || !(error instanceof HttpError) || error.code !== 'timeout') throw error;
      logger.warn('notifications/initialized was not acknowledged', { error: error.message });
    }
  }

  /** Passes on what came with the answer to `initialize`. Never rejects. */
  async #drain(others: readonly string[], rest: Events | undefined): Promise<void> {
    try {
      for (const message of others) await this.#deliver(message);
      if (rest === undefined) return;
      for await (const events of rest.events) for (const { data } of events) await this.#deliver(data);
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        this.#options.logger.debug('the rest of the answer to initialize could not be read', {
          error: describeError(error),
        });
      }
    }
  }

  /** No request waits for these messages, so an event that is no message is just dropped. */
  async #deliver(data: Uint8Array | string): Promise<void> {
    const { onMessage, logger } = this.#options;
    const read = messagesIn({ id: undefined, event: undefined, data });
    if (read instanceof BadAnswerError) {
      logger.warn('dropped an event that is no message', { error: describeError(read) });
      return;
    }
    for (const message of read) await onMessage(message);
  }
}

/** Whether a server that refuses `initialize` like this may be a modern one. */
function isModern(opening: Opening): boolean {
  const verdict = classifyInitialize(opening);
  return verdict === 'modern' || verdict === 'ask';
}
