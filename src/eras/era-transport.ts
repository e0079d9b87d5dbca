import { AbortedError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import { ownId, type Random } from '../platform/random.ts';
import { anySignal } from '../platform/stop.ts';
import { isNestedDeeper } from '../protocol/json/json-scan.ts';
import { type Envelope, parseMessage, serverRequest, textOf } from '../protocol/jsonrpc.ts';
import { answersId, type MessageId, stringId } from '../protocol/message-id.ts';
import { type Era, eraOfRequest, metaOf } from '../protocol/revisions.ts';
import type { ServerCache } from '../protocol/server-cache.ts';
import { BadAnswerError } from '../remote/http/errors.ts';
import type { MessageOptions } from '../remote/http/message-options.ts';
import { aboutMessage } from '../remote/http/refusal.ts';
import {
  type DropConnectionsOptions,
  isRejection,
  type ListenOptions,
  type Reply,
  type Transport,
} from '../remote/transport/transport.ts';
import { DISCOVER_MS, MAX_NESTING } from './message/limits.ts';
import { NotLegacyError } from './message/not-legacy.ts';
import {
  classifyDiscover,
  classifyInitialize,
  type Opening,
  openingOf,
  type ProbeResult,
} from './message/probe-classifier.ts';
import { messageReply, messagesOf, tooDeep } from './message/reply.ts';

/** What `EraTransport` needs. */
export interface EraTransportOptions {
  /** The authorized transport to the server, without translation. */
  readonly transport: Transport;
  readonly memory: ServerCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Statuses with which a server refuses an unknown kind of message before it processes it. */
const REFUSED_UNREAD: readonly number[] = [400, 404, 405, 406, 415];

type Request = Extract<Envelope, { kind: 'request' }>;

/**
 * Finds out the eras of host and server and translates between them where they differ. With a legacy host there is no separate probe that an old
 * server might not understand: the host's own first message is sent, and its answer decides (src/README.md, "The two eras").
 */
export class EraTransport implements Transport {
  readonly #options: EraTransportOptions;
  /** The transport for all messages but those that open a session. */
  #between: Transport;
  #era: Era | undefined;
  #remembered: Promise<void> | undefined;
  #chosenFor: Era | undefined;
  /** The server is assumed to be modern because it was the last time, and no answer has confirmed that yet. */
  #isUnproved = false;
  #choosing: Promise<Reply | undefined> = Promise.resolve(undefined);

  constructor(options: EraTransportOptions) {
    this.#options = options;
    this.#between = options.transport;
  }

  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    // A message within a session needs no choice: the host that opened the session sends it.
    const { sessionId, protocolVersion } = options.session;
    if (sessionId !== undefined || protocolVersion !== undefined) return this.#between.post(body, options);
    const parsed = parseMessage(body);
    if (parsed.kind !== 'request') return this.#between.post(body, options);
    const opens = parsed.method === 'initialize';
    if (!opens && eraOfRequest(parsed.message.params) !== 'modern') return this.#between.post(body, options);
    return opens ? this.#initialize(parsed, body, options) : this.#modern(parsed, body, options);
  }

  listen(options: ListenOptions): Promise<Reply> {
    return this.#between.listen(options);
  }

  async end(options: MessageOptions): Promise<number> {
    // There is no session to end.
    if (this.#between === this.#options.transport && options.session.sessionId === undefined) return 405;
    return this.#between.end(options);
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#options.transport.dropIdleConnections(options);
  }

  async #initialize({ id }: Request, body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    if (isNestedDeeper(textOf(body), MAX_NESTING)) return messageReply(tooDeep(id));
    await this.#recall();
    this.#chosenFor = 'legacy';
    if (this.#era === 'modern') {
      const reply = await this.#tryUpAgain(body, options);
      if (reply !== undefined) return reply;
    }
    this.#between = this.#options.transport;
    // A modern server requires the method in a header; others ignore it.
    const reply = await this.#options.transport.post(body, {
      ...options,
      headers: { 'mcp-method': 'initialize' },
    });
    const verdict = classifyInitialize(openingOf(reply));
    switch (verdict) {
      case 'modern':
        this.#decide('modern');
        return (await this.#tryUp(body, options)) ?? reply;
      case 'ask':
        return (await this.#tryUp(body, options)) ?? reply;
      case 'legacy':
        this.#decide('legacy');
        return reply;
      case 'unknown':
        if (reply.kind === 'events') this.#decide('legacy');
        return reply;
    }
  }

  /** Like `tryUp`, for a server that was modern the last time; an invalid answer means that it may not be modern any more. */
  async #tryUpAgain(body: Uint8Array | string, options: MessageOptions): Promise<Reply | undefined> {
    try {
      return await this.#tryUp(body, options);
    } catch (error) {
      if (error instanceof BadAnswerError) return undefined;
      throw error;
    }
  }

  /** Opens the session as with a modern server; undefined if the server turns out not to be modern. */
  async #tryUp(body: Uint8Array | string, options: MessageOptions): Promise<Reply | undefined> {
    const { UpTransport } = await import('./up/up-transport.ts');
    const up = new UpTransport(this.#options);
    const reply = await up.post(body, options);
    const opening = openingOf(reply);
    if (opening.answer !== undefined && !opening.answer.failed) {
      this.#decide('modern');
      this.#between = up;
      return reply;
    }
    return classifyDiscover(opening) === 'legacy' ? undefined : reply;
  }

  async #modern(request: Request, body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    try {
      const reply = await this.#sendModern(request, body, options);
      if (!this.#isOutdated(openingOf(reply), request)) return reply;
      this.#forgetEra();
      // What may have been processed is not sent again: the era is determined with the next request.
      if (reply.kind === 'refused' && aboutMessage(reply.refusal, request.id) !== 'nothing') return reply;
    } catch (error) {
      if (!(error instanceof NotLegacyError)) throw error;
      this.#forgetEra();
    }
    // The era found earlier is wrong; determine it again, once.
    try {
      return await this.#sendModern(request, body, options);
    } catch (error) {
      if (error instanceof NotLegacyError && error.refused !== undefined) return error.refused;
      throw error;
    }
  }

  #forgetEra(): void {
    this.#era = undefined;
    this.#chosenFor = undefined;
  }

  /** Whether a server that was modern at the last start refuses a request as a legacy server would. */
  #isOutdated(opening: Opening, { id }: Request): boolean {
    const { status, answer } = opening;
    if (!this.#isUnproved || !REFUSED_UNREAD.includes(status)) return false;
    return classifyDiscover(opening) === 'legacy' && (answer === undefined || !answersId(answer.id, id));
  }

  async #sendModern(request: Request, body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    if (this.#chosenFor !== 'modern' || request.method === 'server/discover') {
      // One at a time: the requests that wait use what the first one finds out.
      const choosing = this.#choosing.then(
        () => this.#choose(request, body, options),
        () => this.#choose(request, body, options),
      );
      this.#choosing = choosing.catch(() => undefined);
      const reply = await choosing;
      if (reply !== undefined) return reply;
    }
    const reply = await this.#between.post(body, options);
    if (!isRejection(reply)) this.#isUnproved = false;
    return reply;
  }

  /** Chooses the transport for a modern host. Resolves with a reply if that already answers the request; otherwise the request is still to be sent. */
  async #choose(
    request: Request,
    body: Uint8Array | string,
    options: MessageOptions,
  ): Promise<Reply | undefined> {
    if (isNestedDeeper(textOf(body), MAX_NESTING)) return messageReply(tooDeep(request.id));
    const discovers = request.method === 'server/discover';
    if (this.#chosenFor === 'modern' && !discovers) return undefined;
    await this.#recall();
    if (this.#era === 'legacy') return this.#goDown();
    const { ModernTransport } = await import('./modern/modern-transport.ts');
    const mirror = new ModernTransport(this.#options);
    if (this.#era === 'modern' && !discovers) {
      this.#isUnproved = true;
      this.#mirror(mirror);
      return undefined;
    }
    const id = discovers ? request.id : stringId(ownId(this.#options.random));
    const asked = discovers ? body : ownDiscover(id, request);
    const { progress: _ofHost, ...rest } = options;
    const reply = await this.#withinTime(mirror, id, asked, discovers ? options : rest);
    const verdict: ProbeResult = reply === undefined ? 'legacy' : classifyDiscover(openingOf(reply));
    switch (verdict) {
      case 'modern':
        this.#goModern(mirror);
        return discovers ? reply : undefined;
      case 'legacy':
        this.#decide('legacy');
        return this.#goDown();
      default:
        return reply;
    }
  }

  async #goDown(): Promise<undefined> {
    const { DownTransport } = await import('./down/down-transport.ts');
    if (this.#chosenFor !== 'modern' || !(this.#between instanceof DownTransport)) {
      this.#between = new DownTransport(this.#options);
    }
    this.#chosenFor = 'modern';
  }

  #goModern(mirror: Transport): void {
    this.#decide('modern');
    this.#mirror(mirror);
  }

  #mirror(mirror: Transport): void {
    if (this.#chosenFor !== 'modern') this.#between = mirror;
    this.#chosenFor = 'modern';
  }

  /** Undefined if the server does not answer in time: some legacy servers are silent until `initialize` (stdio → Backward Compatibility). */
  async #withinTime(
    transport: Transport,
    id: MessageId,
    body: Uint8Array | string,
    { progress, ...options }: MessageOptions,
  ): Promise<Reply | undefined> {
    const late = new AbortController();
    let settled = new AbortController();
    // The time limit starts with each attempt, since the server is not to blame for the time that obtaining a token takes.
    const sending = () => {
      this.#options.clock.sleep(DISCOVER_MS, settled.signal).then(
        () => late.abort(new AbortedError('the server did not answer server/discover')),
        () => undefined,
      );
      progress?.sending();
    };
    const returned = () => {
      settled.abort();
      settled = new AbortController();
      progress?.returned();
    };
    try {
      const signal = anySignal([options.signal, late.signal]);
      const timed = { sending, returned, sent: () => progress?.sent() };
      const reply = await transport.post(body, { ...options, signal, progress: timed });
      return reply.kind === 'events' ? await answerOn(reply, id) : reply;
    } catch (error) {
      if (options.signal.aborted || !late.signal.aborted) throw error;
      return undefined;
    } finally {
      settled.abort();
    }
  }

  #recall(): Promise<void> {
    this.#remembered ??= this.#options.memory.read().then(({ era }) => {
      this.#era ??= era;
    });
    return this.#remembered;
  }

  #decide(era: Era): void {
    if (this.#era !== era) this.#options.logger.debug('the era of the server', { kind: era });
    this.#era = era;
    this.#options.memory.update({ era });
  }
}

/** A `server/discover` of the bridge, for a host that does not begin with one itself; the SDK 2.x sends it in another process. */
function ownDiscover(id: MessageId, { message }: Request): string {
  const params = { _meta: { ...metaOf(message.params), progressToken: undefined } };
  return serverRequest(id, 'server/discover', params);
}

/** The answer on a stream; undefined if a legacy server ends the stream without one or with an error that has no id. */
async function answerOn(
  reply: Extract<Reply, { kind: 'events' }>,
  id: MessageId,
): Promise<Reply | undefined> {
  try {
    for await (const { text, envelope } of messagesOf(reply)) {
      if (envelope.kind === 'response' && answersId(envelope.id, id)) return messageReply(text);
    }
  } catch (error) {
    if (!(error instanceof BadAnswerError)) throw error;
  }
  return undefined;
}
