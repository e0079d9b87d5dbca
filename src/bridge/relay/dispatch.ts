import { isUtf8 } from 'node:buffer';
import { AbortedError } from '../../errors.ts';
import type { HostLine } from '../../host/line-splitter.ts';
import { logUnexpected, UNEXPECTED_ERROR } from '../../platform/log/unexpected-error.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import {
  errorAnswer,
  isBatch,
  type MessageId,
  type Parsed,
  parseMessage,
  RpcErrorCode,
  resultAnswer,
  textOf,
} from '../../protocol/jsonrpc.ts';
import { idInParams } from '../../protocol/message-id.ts';
import { eraOfRequest } from '../../protocol/revisions.ts';
import { mayRelay } from '../session/lifecycle.ts';
import type { RestorableRequest } from '../session/session-settings.ts';
import { mayBeAbsent, SIGN_IN_TOOL } from '../stand-in/stand-in.ts';
import { CANCELLED_STREAM_MS } from '../timing/limits.ts';
import { HostRequest } from './host-request.ts';
import type { BridgeParts } from './parts.ts';
import { isOwed, PendingRequest, type UnsentBytes } from './pending-requests.ts';
import { Relay } from './relay.ts';

/** Reads the host's messages one by one and decides which part of the bridge handles each. */
export class HostDispatcher {
  readonly #parts: BridgeParts;
  readonly #relay: Relay;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#relay = new Relay(parts);
  }

  get unsentBytes(): UnsentBytes {
    return this.#relay.requestDeps.unsentBytes;
  }

  /** Takes one line of the host. Never throws. */
  handle(line: HostLine): void {
    if (line.kind === 'line') return this.#handleMessage(line.bytes);
    const why = `The message is longer than the limit of ${line.limitBytes} bytes. Raise it with --max-message-size.`;
    this.#write(errorAnswer(null, RpcErrorCode.invalidRequest, why));
  }

  #handleMessage(bytes: Uint8Array): void {
    const parsed = parseMessage(bytes);
    try {
      this.#dispatch(parsed, bytes);
    } catch (error) {
      this.#failUnexpectedly(parsed, bytes, error);
    }
  }

  /** An error in the program itself ends this message, and nothing else. */
  #failUnexpectedly(parsed: Parsed, bytes: Uint8Array, error: unknown): void {
    if (parsed.kind !== 'request')
      return logUnexpected(this.#parts.logger, `a ${parsed.kind} of the host`, error);
    const request = this.#relay.table.get(parsed.id);
    if (request?.bytes === bytes) return this.#relay.hostDelivery.failUnexpectedly(request, error);
    logUnexpected(this.#parts.logger, `the request ${parsed.method}`, error);
    this.#write(errorAnswer(parsed.id, RpcErrorCode.internal, UNEXPECTED_ERROR, { mayHaveRun: false }));
  }

  #dispatch(parsed: Parsed, bytes: Uint8Array): void {
    switch (parsed.kind) {
      case 'request':
        return this.#request(parsed.id, parsed.method, parsed.message.params, bytes);
      case 'notification':
        return this.#notification(parsed.method, bytes);
      case 'response':
        if (!this.#relay.urlElicitation.takes(parsed.id, parsed.message))
          this.#relay.notifications.answer(bytes);
        return;
      case 'batch':
        // Revision 2025-03-26: each member is a separate message and gets a separate answer.
        for (const member of parsed.members) {
          if (!isBatch(member)) this.#handleMessage(member);
          else
            this.#write(
              errorAnswer(null, RpcErrorCode.invalidRequest, 'Invalid request: a batch in a batch.'),
            );
        }
        return;
      case 'not-json':
        return this.#write(errorAnswer(null, RpcErrorCode.parse, 'Parse error: the line is not JSON.'));
      case 'not-a-message':
        if (!isUtf8(bytes)) {
          const why = 'Invalid request: the line is not UTF-8.';
          return this.#write(errorAnswer(parsed.id, RpcErrorCode.invalidRequest, why));
        }
        return this.#write(
          errorAnswer(parsed.id, RpcErrorCode.invalidRequest, 'Invalid request: not a JSON-RPC 2.0 message.'),
        );
    }
  }

  #request(id: MessageId, method: string, params: unknown, bytes: Uint8Array): void {
    const { session, table, lists } = this.#relay;
    const refuse = (code: number, why: string) => this.#write(errorAnswer(id, code, why));
    if (table.get(id) !== undefined) {
      return refuse(
        RpcErrorCode.invalidRequest,
        'Invalid request: a request with this id is already pending.',
      );
    }
    if (method === 'ping' && !mayRelay(session.state)) return this.#write(resultAnswer(id, {}));
    if (method === 'initialize') {
      if (session.state.host !== 'not-initialized') {
        return refuse(RpcErrorCode.invalidRequest, 'Invalid request: the session is already initialized.');
      }
      table.add(new PendingRequest({ id, method, bytes, params }));
      this.#relay.listWait.begin();
      return session.initializeReceived({ id, bytes, params });
    }
    if (eraOfRequest(params) === 'modern') session.hostNeedsNoSession();
    if (session.state.host === 'not-initialized' && !session.withoutSession) {
      // Without the fields of 2026-07-28 it is not a request of that revision; the error of a 2025 server leads its host to `initialize`.
      if (method === 'server/discover') {
        return refuse(RpcErrorCode.methodNotFound, 'Method not found: server/discover');
      }
      return refuse(RpcErrorCode.invalidRequest, 'Invalid request: initialize must come first.');
    }
    if (this.#answeredHere(id, { method, params, bytes })) return;
    const forSignIn =
      method === 'tools/call' && isObject(params) && params.name === SIGN_IN_TOOL && lists.answersSignIn;
    const hidden = forSignIn ? undefined : this.#parts.toolFilter?.refusal(method, params);
    // Specification, Tools → Error Handling: to the host a hidden tool is an unknown one.
    if (hidden !== undefined) return refuse(RpcErrorCode.invalidParams, hidden);
    const request = new HostRequest({ id, method, bytes, params }, this.#relay.requestDeps);
    request.admit();
    if (method === 'tools/call') this.#relay.urlElicitation.called();
    else this.#relay.urlElicitation.offer();
    if (method === 'server/discover') this.#relay.standInAnswers.discovery(request);
    if (forSignIn) return void request.waitForSignIn();
    void request.relay();
  }

  /** Answers a request for something that the server has not declared. False: the request is for the server. */
  #answeredHere(id: MessageId, request: RestorableRequest): boolean {
    const { method } = request;
    if (!mayBeAbsent(method)) return false;
    const { session, sessionEffects, standInAnswers } = this.#relay;
    const isReady = session.withoutSession || mayRelay(session.state);
    // Hosts set the log level when they start, and some wait for the answer: it applies to the session that is being opened.
    if (!isReady && sessionEffects.stoodIn && method === 'logging/setLevel') {
      sessionEffects.rememberSetting(request);
      this.#write(resultAnswer(id, {}));
      return true;
    }
    const absent = isReady ? standInAnswers.absent(id, method) : standInAnswers.absentMeanwhile(id, method);
    if (absent !== undefined) this.#write(absent);
    return absent !== undefined;
  }

  #notification(method: string, bytes: Uint8Array): void {
    const { session } = this.#relay;
    if (method === 'notifications/initialized') {
      this.#relay.sessionEffects.initialized = bytes;
      return session.initializedReceived();
    }
    if (session.state.host === 'not-initialized' && !session.withoutSession) return;
    if (method === 'notifications/cancelled') {
      const id = idInParams(textOf(bytes), 'requestId');
      const request = id === undefined ? undefined : this.#relay.table.find(id);
      if (request !== undefined) return this.#cancel(request, bytes);
    }
    this.#relay.notifications.inOrder(bytes);
  }

  /**
   * A cancellation is sent after the request that it names, and not at all when the request has not been sent whole: then nothing can run, and
   * the request may be waiting for a connection or a session that never comes. No answer is owed afterwards (specification, Cancellation).
   */
  #cancel(request: PendingRequest, bytes: Uint8Array): void {
    this.#relay.table.cancel(request);
    if (!request.mayHaveRun || !request.isSent) {
      this.#relay.table.settle(request.id);
      request.stop.abort(new AbortedError('cancelled by the host'));
      return;
    }
    const { notifications } = this.#relay;
    const cancelAtServer = async () => {
      await notifications.send(bytes);
      await notifications.pause(CANCELLED_STREAM_MS);
      this.#relay.table.settle(request.id);
      request.stop.abort(new AbortedError('cancelled by the host'));
    };
    cancelAtServer().catch((error: unknown) => logUnexpected(this.#parts.logger, 'a cancellation', error));
  }

  #write(text: string): void {
    void this.#parts.writer.write(text);
  }

  /** Resolves when each request has its answer and each notification has been sent. */
  async idle(): Promise<void> {
    await this.#relay.table.idle();
    await this.#relay.notifications.idle();
  }

  /** Like `idle`, but without waiting for notifications that need a session. */
  async quiet(): Promise<void> {
    const { session, table } = this.#relay;
    if (session.withoutSession || mayRelay(session.state)) return this.idle();
    await table.idle();
  }

  /** Answers all pending requests in the server's place. Returns how many answers the host was owed. */
  failAll(why: string): number {
    return this.#fail(this.#relay.table.all(), why);
  }

  /** Answers the requests in the server's place that wait for a server that is not ready: they are not in flight, and are not sent any more. */
  failWaiting(why: string): void {
    const waiting = this.#relay.table
      .all()
      .filter(({ method, waitBudget }) => method === 'initialize' || waitBudget?.isWaiting);
    this.#fail(waiting, why);
    for (const request of waiting) request.stop.abort(new AbortedError('the bridge is closing'));
  }

  #fail(requests: readonly PendingRequest[], why: string): number {
    for (const request of requests) {
      const { mayHaveRun } = request;
      const text = `${why}. The call ${mayHaveRun ? 'may have run' : 'was not run'}.`;
      this.#relay.hostDelivery.fail(request, text, { mayHaveRun });
    }
    return requests.filter(isOwed).length;
  }

  /** The host still reads, but sends nothing more. */
  hostEnded(): void {
    this.#relay.hostEnded = true;
  }

  endSession(signal: AbortSignal): Promise<void> {
    return this.#relay.endSession(signal);
  }

  abort(): void {
    this.#relay.abort();
  }
}
