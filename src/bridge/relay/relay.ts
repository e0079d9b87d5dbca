import { AbortedError } from '../../errors.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { undeclared, undeclaredReason } from '../../protocol/client-capabilities.ts';
import { errorAnswer, type MessageId, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { isList } from '../../protocol/list-methods.ts';
import { mayRelay } from '../session/lifecycle.ts';
import { Connection } from '../session/session.ts';
import { completeResult, greetingOfDiscovery, standInDiscovery } from '../stand-in/modern-stand-in.ts';
import { SignIns } from '../stand-in/pending-sign-in.ts';
import { StoodInLists } from '../stand-in/provisional-lists.ts';
import type { Remembered } from '../stand-in/server-cache.ts';
import { isObject, signInResult, standInList } from '../stand-in/stand-in.ts';
import { explain } from '../stand-in/unavailability.ts';
import { Addresses } from '../stand-in/url-elicitation.ts';
import { STAND_IN_AFTER_MS } from '../timing/limits.ts';
import { Patience, patienceMs } from '../timing/wait-budget.ts';
import { Liveness } from '../timing/wake-detector.ts';
import { type Answer, Inbox } from './host-delivery.ts';
import { HostNotifications } from './host-notifications.ts';
import type { BridgeParts } from './parts.ts';
import { type OpenRequest, RequestTable } from './pending-requests.ts';
import { capital, Replies } from './response-reader.ts';
import { Courier, type Delivery } from './send.ts';
import { ServerStream } from './server-stream.ts';
import { Opening } from './session-effects.ts';
import { SessionShape } from './session-settings.ts';

/** The parts of one bridge put together: a request of the host in, its answer out. */
export class Relay {
  readonly #parts: BridgeParts;
  readonly #closing = new AbortController();
  readonly #courier: Courier;
  readonly #replies: Replies;
  readonly #stream: ServerStream;
  readonly #shape = new SessionShape();
  readonly #live = new Set<OpenRequest>();
  readonly #remembered: Promise<Remembered>;
  readonly table = new RequestTable();
  readonly lists = new StoodInLists();
  readonly addresses: Addresses;
  readonly inbox: Inbox;
  readonly connection: Connection;
  readonly opening: Opening;
  readonly notifications: HostNotifications;
  /** Stdin has ended: no request of the server will be answered by the host. */
  hostEnded = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { table } = this;
    const { random, writer, logger } = parts;
    const fraction = () => random.fraction();
    const signal = this.#closing.signal;
    this.#remembered = parts.memory.read();
    this.addresses = new Addresses(writer, random, () => ({
      params: this.connection.hello?.params,
      initialized: this.connection.state.initialized,
      waiting: table.size > 0,
    }));
    const signIns = new SignIns({
      onAddress: (address, userCode) => {
        const how =
          userCode === undefined
            ? 'If no browser has opened, open this address:'
            : `On any device, enter the code ${userCode} at this address:`;
        logger.tell(`Sign in to this server. ${how}\n  ${address}`);
        this.addresses.known(address, userCode);
      },
      onEnd: () => this.addresses.done(),
    });
    this.inbox = new Inbox({
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
      inbox: this.inbox,
      onLost: (session) => this.connection.lost(session, { quietly: true }),
      onSilenced: (session) => this.#replies.silenced(session),
    });
    this.#replies = new Replies({
      ...{ ...parts, table, signal, inbox: this.inbox },
      mayBring: (session) => this.#stream.mayBring(session),
    });
    this.opening = new Opening({
      ...{ parts, signal, table },
      ...{ inbox: this.inbox, replies: this.#replies, stream: this.#stream },
      ...{ shape: this.#shape, lists: this.lists, remembered: this.#remembered },
      connection: () => this.connection,
    });
    this.connection = new Connection({ ...parts, signal, fraction, signIns, hooks: this.opening });
    const liveness = new Liveness({
      ...{ clock: parts.clock, logger, signal },
      onWake: () => this.#reconnect('the machine slept'),
      onClockMoved: () => this.#reconnect('the clock was set', { keepsInUse: true }),
    });
    this.#courier = new Courier({
      ...{ ...parts, fraction, signIns, connection: this.connection },
      beforeSending: () => liveness.look(),
    });
    this.notifications = new HostNotifications({
      ...{ parts, signal, courier: this.#courier, inbox: this.inbox, replies: this.#replies },
    });
    if (parts.pingIntervalMs !== undefined) {
      this.#startPings(parts.pingIntervalMs).catch((error: unknown) =>
        logUnexpected(logger, 'the pings', error),
      );
    }
  }

  /** Brings a request to the server and its answer, or an error, to the host. */
  serve(request: OpenRequest): void {
    this.#spawn(request, async () => {
      const ms = patienceMs(request.method, this.#parts.wait);
      const delivery = await this.#courier.deliver({
        body: request.bytes,
        id: request.id,
        signal: request.stop.signal,
        patience: new Patience(this.#parts.clock, ms, request.stop.signal),
        onLeaving: () => {
          request.mayHaveRun = true;
        },
        onSent: () => request.markSent(),
        onReturned: () => {
          request.mayHaveRun = false;
        },
      });
      await this.#conclude(request, delivery);
    });
  }

  /** A host that opens no session is answered within a second too. */
  standInForDiscovery(request: OpenRequest): void {
    const { clock, writer } = this.#parts;
    const { signal } = request.stop;
    const answer = async () => {
      await clock.sleep(STAND_IN_AFTER_MS, signal);
      const standIn = standInDiscovery(await this.#remembered);
      if (this.table.get(request.id) !== request) return;
      if (standIn.kind === 'error') this.inbox.fail(request, standIn.message, undefined, standIn.code);
      else if (this.table.take(request.id) !== undefined) {
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
  waitForSignIn(request: OpenRequest): void {
    const { signal } = request.stop;
    this.#spawn(request, async () => {
      const patience = new Patience(this.#parts.clock, Number.POSITIVE_INFINITY, signal);
      const outcome = await Promise.resolve(this.connection.usable(patience)).then(
        () => 'signed-in' as const,
        () => this.connection.situation,
      );
      const answer = resultAnswer(request.id, signInResult(outcome));
      if (signal.aborted || this.table.take(request.id) === undefined) return;
      await this.#parts.writer.write(answer);
    });
  }

  async #startPings(everyMs: number): Promise<void> {
    const { ping } = await import('./pings.ts');
    await ping({
      ...{ ...this.#parts, everyMs, table: this.table, signal: this.#closing.signal },
      ready: () => mayRelay(this.connection.state),
      serve: (request) => this.serve(request),
      onSilence: () => this.#reconnect('the server fell silent'),
    });
  }

  /** Connections that may be dead are not used again; the stream of the server is taken up anew. */
  #reconnect(why: string, options?: Parameters<BridgeParts['http']['refresh']>[0]): void {
    this.#parts.logger.debug('connecting anew', { reason: why });
    this.#parts.http.refresh(options);
    this.#stream.reopen();
  }

  /** Tells the server that the session is over; it may not care. */
  async endSession(signal: StopSignal): Promise<void> {
    const { http, authorization, logger } = this.#parts;
    const { session } = this.connection;
    if (session.sessionId === undefined && !this.connection.withoutSession) return;
    try {
      const bearer = await authorization.current(signal);
      const status = await http.end({ session, bearer, signal });
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

  #spawn(request: OpenRequest, work: () => Promise<void>): void {
    this.#live.add(request);
    void this.#guarded(request, work);
  }

  async #guarded(request: OpenRequest, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!request.stop.signal.aborted) this.inbox.failUnexpectedly(request, error);
    } finally {
      request.markSent();
      this.#live.delete(request);
    }
  }

  async #conclude(request: OpenRequest, delivery: Delivery): Promise<void> {
    switch (delivery.kind) {
      case 'replied':
        return this.#replies.read(delivery.reply, request, delivery.session);
      case 'answer':
        return this.inbox.deliver(delivery.json);
      case 'failed': {
        const { why, mayHaveRun } = delivery;
        const text = `${capital(why)}${mayHaveRun ? ' The call may have run.' : ''}`;
        return this.inbox.fail(request, text, { mayHaveRun });
      }
      case 'over':
        return this.#giveUp(request);
    }
  }

  /** Patience is over: a list is answered from last time or with the way to sign in, a call with an error that carries the address. */
  async #giveUp(request: OpenRequest): Promise<void> {
    const { situation } = this.connection;
    if (isList(request.method)) {
      const list = standInList(request.method, await this.#remembered, situation);
      if (list !== undefined) {
        const { result } = list;
        const whole = this.connection.withoutSession ? completeResult(result) : result;
        const answer = resultAnswer(request.id, whole);
        if (this.table.take(request.id) === undefined) return;
        this.lists.gave(request.method, list.placeholder);
        await this.#parts.writer.write(answer);
        return;
      }
    }
    const address = situation.kind === 'signing-in' ? situation.address : undefined;
    const { code, data } =
      address === undefined ? { code: undefined, data: undefined } : this.addresses.errorFor(address);
    this.inbox.fail(request, explain(situation), data, code);
  }

  #mayAsk(id: MessageId, method: string): boolean {
    const params = this.connection.hello?.params;
    const missing = undeclared(method, isObject(params) ? params.capabilities : undefined);
    if (missing === undefined && !this.hostEnded) return true;
    const answer = (text: string) => void this.notifications.send(Buffer.from(text));
    if (missing !== undefined) {
      this.#parts.logger.warn('refused a request of the server that the host does not offer', { method });
      // As the host would answer (JSON-RPC 2.0 §5.1), so that the server does not wait.
      answer(errorAnswer(id, RpcErrorCode.methodNotFound, undeclaredReason(missing)));
    } else if (method === 'ping') answer(resultAnswer(id, {}));
    // A call that depends on the answer would never end.
    else answer(errorAnswer(id, RpcErrorCode.bridge, 'The host has ended its input and answers no more.'));
    return false;
  }

  #noteAnswer(request: OpenRequest, answer: Answer): void {
    const { method, params } = request;
    if (!answer.failed) this.#shape.note(request);
    if (method !== 'server/discover' && !isList(method)) return;
    const { result } = answer.message;
    if (!isObject(result)) return;
    if (!isList(method)) return this.#parts.memory.update({ initialize: greetingOfDiscovery(result) });
    this.lists.replaced(method);
    const onePage = result.nextCursor === undefined && !(isObject(params) && params.cursor !== undefined);
    if (onePage) this.#parts.memory.update({ lists: { [method]: result } });
  }
}
