import { AbortedError } from '../../errors.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { missingCapability, missingCapabilityReason } from '../../protocol/client-capabilities.ts';
import { isObject } from '../../protocol/json-object.ts';
import { errorAnswer, type MessageId, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { isListMethod } from '../../protocol/list-methods.ts';
import { capitalized } from '../../protocol/quote.ts';
import { mayRelay } from '../session/lifecycle.ts';
import { Session } from '../session/session.ts';
import {
  completeResult,
  initializeResultOfDiscovery,
  standInDiscovery,
} from '../stand-in/modern-stand-in.ts';
import { PendingSignIn } from '../stand-in/pending-sign-in.ts';
import { ProvisionalLists } from '../stand-in/provisional-lists.ts';
import type { CachedServer } from '../stand-in/server-cache.ts';
import { signInResult, standInList } from '../stand-in/stand-in.ts';
import { describeUnavailability } from '../stand-in/unavailability.ts';
import { UrlElicitation } from '../stand-in/url-elicitation.ts';
import { STAND_IN_AFTER_MS } from '../timing/limits.ts';
import { WaitBudget, waitLimitMs } from '../timing/wait-budget.ts';
import { WakeDetector } from '../timing/wake-detector.ts';
import { type Answer, HostDelivery } from './host-delivery.ts';
import { HostNotifications } from './host-notifications.ts';
import type { BridgeParts } from './parts.ts';
import { type PendingRequest, PendingRequests } from './pending-requests.ts';
import { ResponseReader } from './response-reader.ts';
import { MessageSender, type SendResult } from './send.ts';
import { ServerStream } from './server-stream.ts';
import { SessionEffects } from './session-effects.ts';
import { SessionSettings } from './session-settings.ts';

/** The parts of one bridge put together: a request of the host in, its answer out. */
export class Relay {
  readonly #parts: BridgeParts;
  readonly #closing = new AbortController();
  readonly #messageSender: MessageSender;
  readonly #responseReader: ResponseReader;
  readonly #stream: ServerStream;
  readonly #shape = new SessionSettings();
  readonly #live = new Set<PendingRequest>();
  readonly #cachedServer: Promise<CachedServer>;
  readonly table = new PendingRequests();
  readonly lists = new ProvisionalLists();
  readonly urlElicitation: UrlElicitation;
  readonly hostDelivery: HostDelivery;
  readonly connection: Session;
  readonly sessionEffects: SessionEffects;
  readonly notifications: HostNotifications;
  /** Stdin has ended: no request of the server will be answered by the host. */
  hostEnded = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { table } = this;
    const { random, writer, logger } = parts;
    const fraction = () => random.fraction();
    const signal = this.#closing.signal;
    this.#cachedServer = parts.memory.read();
    this.urlElicitation = new UrlElicitation(writer, random, () => ({
      params: this.connection.initializeRequest?.params,
      initialized: this.connection.state.initializedReceived,
      waiting: table.size > 0,
    }));
    const pendingSignIn = new PendingSignIn({
      onAddress: (address, userCode) => {
        const how =
          userCode === undefined
            ? 'If no browser has opened, open this address:'
            : `On any device, enter the code ${userCode} at this address:`;
        logger.inform(`Sign in to this server. ${how}\n  ${address}`);
        this.urlElicitation.setAddress(address, userCode);
      },
      onEnd: () => this.urlElicitation.complete(),
    });
    this.hostDelivery = new HostDelivery({
      table,
      writer,
      logger,
      onAnswer: (request, answer) => this.#noteAnswer(request, answer),
      mayAsk: (id, method) => this.#mayAsk(id, method),
      answerServer: (answer) => void this.notifications.send(Buffer.from(answer)),
    });
    this.#stream = new ServerStream({
      ...parts,
      fraction,
      signal,
      hostDelivery: this.hostDelivery,
      onLost: (session) => this.connection.lost(session, { quietly: true }),
      onSilenced: (session) => this.#responseReader.silenced(session),
    });
    this.#responseReader = new ResponseReader({
      ...parts,
      table,
      signal,
      hostDelivery: this.hostDelivery,
      mayBring: (session) => this.#stream.mayBring(session),
    });
    this.sessionEffects = new SessionEffects({
      parts,
      signal,
      table,
      hostDelivery: this.hostDelivery,
      responseReader: this.#responseReader,
      stream: this.#stream,
      shape: this.#shape,
      lists: this.lists,
      cachedServer: this.#cachedServer,
      connection: () => this.connection,
    });
    this.connection = new Session({
      ...parts,
      signal,
      fraction,
      pendingSignIn,
      hooks: this.sessionEffects,
    });
    const wakeDetector = new WakeDetector({
      clock: parts.clock,
      logger,
      signal,
      onWake: () => this.#reconnect('the machine slept'),
      onClockMoved: () => this.#reconnect('the clock was set', { keepsInUse: true }),
    });
    this.#messageSender = new MessageSender({
      ...parts,
      fraction,
      pendingSignIn,
      connection: this.connection,
      beforeSending: () => wakeDetector.look(),
    });
    this.notifications = new HostNotifications({
      parts,
      signal,
      messageSender: this.#messageSender,
      hostDelivery: this.hostDelivery,
      responseReader: this.#responseReader,
    });
    if (parts.pingIntervalMs !== undefined) {
      this.#startPings(parts.pingIntervalMs).catch((error: unknown) =>
        logUnexpected(logger, 'the pings', error),
      );
    }
  }

  /** Brings a request to the server and its answer, or an error, to the host. */
  handleRequest(request: PendingRequest): void {
    this.#spawn(request, async () => {
      const ms = waitLimitMs(request.method, this.#parts.wait);
      const sendResult = await this.#messageSender.send({
        body: request.bytes,
        id: request.id,
        signal: request.stop.signal,
        waitBudget: new WaitBudget(this.#parts.clock, ms, request.stop.signal),
        onLeaving: () => {
          request.mayHaveRun = true;
        },
        onSent: () => request.markSent(),
        onReturned: () => {
          request.mayHaveRun = false;
        },
      });
      await this.#finishRequest(request, sendResult);
    });
  }

  /** A host that opens no session is answered within a second too. */
  standInForDiscovery(request: PendingRequest): void {
    const { clock, writer } = this.#parts;
    const { signal } = request.stop;
    const answer = async () => {
      await clock.sleep(STAND_IN_AFTER_MS, signal);
      const standIn = standInDiscovery(await this.#cachedServer);
      if (this.table.get(request.id) !== request) return;
      if (standIn.kind === 'error') this.hostDelivery.fail(request, standIn.message, undefined, standIn.code);
      else if (this.table.settle(request.id) !== undefined) {
        await writer.write(resultAnswer(request.id, standIn.result));
      }
      request.stop.abort(new AbortedError('answered by the stand-in'));
    };
    answer().catch((error: unknown) => {
      // The request itself is with the server, whose answer it gets.
      if (!signal.aborted) logUnexpected(this.#parts.logger, 'the stand-in for server/discover', error);
    });
  }

  /** The `sign_in` tool: answered when the server is ready, or when the sign-in is over without that. */
  waitForSignIn(request: PendingRequest): void {
    const { signal } = request.stop;
    this.#spawn(request, async () => {
      const waitBudget = new WaitBudget(this.#parts.clock, Number.POSITIVE_INFINITY, signal);
      const outcome = await Promise.resolve(this.connection.usable(waitBudget)).then(
        () => 'signed-in' as const,
        () => this.connection.unavailability,
      );
      const answer = resultAnswer(request.id, signInResult(outcome));
      if (signal.aborted || this.table.settle(request.id) === undefined) return;
      await this.#parts.writer.write(answer);
    });
  }

  async #startPings(everyMs: number): Promise<void> {
    const { ping } = await import('./pings.ts');
    await ping({
      ...this.#parts,
      everyMs,
      table: this.table,
      signal: this.#closing.signal,
      ready: () => mayRelay(this.connection.state),
      serve: (request) => this.handleRequest(request),
      onSilence: () => this.#reconnect('the server fell silent'),
    });
  }

  /** Connections that may be dead are not used again; the stream of the server is taken up anew. */
  #reconnect(why: string, options?: Parameters<BridgeParts['http']['dropIdleConnections']>[0]): void {
    this.#parts.logger.debug('connecting anew', { reason: why });
    this.#parts.http.dropIdleConnections(options);
    this.#stream.reopen();
  }

  /** Tells the server that the session is over; it may not care. */
  async endSession(signal: StopSignal): Promise<void> {
    const { http, authorization, logger } = this.#parts;
    const { headers } = this.connection;
    if (headers.sessionId === undefined && !this.connection.withoutSession) return;
    try {
      const bearer = await authorization.current(signal);
      const status = await http.end({ session: headers, bearer, signal });
      logger.debug('ended the session', { status });
    } catch (error) {
      logger.debug('could not end the session', { error: String(error) });
    }
  }

  /** Drops everything that is under way. */
  abort(): void {
    this.#closing.abort();
    for (const request of this.#live) request.stop.abort();
  }

  #spawn(request: PendingRequest, work: () => Promise<void>): void {
    this.#live.add(request);
    void this.#guarded(request, work);
  }

  async #guarded(request: PendingRequest, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!request.stop.signal.aborted) this.hostDelivery.failUnexpectedly(request, error);
    } finally {
      request.markSent();
      this.#live.delete(request);
    }
  }

  async #finishRequest(request: PendingRequest, sendResult: SendResult): Promise<void> {
    switch (sendResult.kind) {
      case 'replied':
        return this.#responseReader.read(sendResult.reply, request, sendResult.session);
      case 'answer':
        return this.hostDelivery.deliver(sendResult.json);
      case 'failed': {
        const { why, mayHaveRun } = sendResult;
        const text = `${capitalized(why)}${mayHaveRun ? ' The call may have run.' : ''}`;
        return this.hostDelivery.fail(request, text, { mayHaveRun });
      }
      case 'over':
        return this.#answerUnavailable(request);
    }
  }

  /** Patience is over: a list is answered from last time or with the way to sign in, a call with an error that carries the address. */
  async #answerUnavailable(request: PendingRequest): Promise<void> {
    const { unavailability } = this.connection;
    if (isListMethod(request.method)) {
      const list = standInList(request.method, await this.#cachedServer, unavailability);
      if (list !== undefined) {
        const { result } = list;
        const whole = this.connection.withoutSession ? completeResult(result) : result;
        const answer = resultAnswer(request.id, whole);
        if (this.table.settle(request.id) === undefined) return;
        this.lists.noteProvisional(request.method, list.placeholder);
        await this.#parts.writer.write(answer);
        return;
      }
    }
    const address = unavailability.kind === 'signing-in' ? unavailability.address : undefined;
    const { code, data } =
      address === undefined ? { code: undefined, data: undefined } : this.urlElicitation.errorFor(address);
    this.hostDelivery.fail(request, describeUnavailability(unavailability), data, code);
  }

  #mayAsk(id: MessageId, method: string): boolean {
    const params = this.connection.initializeRequest?.params;
    const missing = missingCapability(method, isObject(params) ? params.capabilities : undefined);
    if (missing === undefined && !this.hostEnded) return true;
    const answer = (text: string) => void this.notifications.send(Buffer.from(text));
    if (missing !== undefined) {
      this.#parts.logger.warn('refused a request of the server that the host does not offer', { method });
      // As the host would answer (JSON-RPC 2.0 §5.1), so that the server does not wait.
      answer(errorAnswer(id, RpcErrorCode.methodNotFound, missingCapabilityReason(missing)));
    } else if (method === 'ping') answer(resultAnswer(id, {}));
    // A call that depends on the answer would never end.
    else answer(errorAnswer(id, RpcErrorCode.bridge, 'The host has ended its input and answers no more.'));
    return false;
  }

  #noteAnswer(request: PendingRequest, answer: Answer): void {
    const { method, params } = request;
    if (!answer.failed) this.#shape.note(request);
    if (method !== 'server/discover' && !isListMethod(method)) return;
    const { result } = answer.message;
    if (!isObject(result)) return;
    if (!isListMethod(method))
      return this.#parts.memory.update({ initialize: initializeResultOfDiscovery(result) });
    this.lists.noteReal(method);
    const onePage = result.nextCursor === undefined && !(isObject(params) && params.cursor !== undefined);
    if (onePage) this.#parts.memory.update({ lists: { [method]: result } });
  }
}
