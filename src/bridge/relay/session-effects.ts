import { InternalError } from '../../errors.ts';
import { logFailure, logUnexpected } from '../../platform/log/unexpected-error.ts';
import { randomToken } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { notification, RpcErrorCode, resultAnswer, serverRequest } from '../../protocol/jsonrpc.ts';
import { stringId } from '../../protocol/message-id.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import { type TimeLimit, withinTimeLimit } from '../../remote/http/time-limit.ts';
import type { Reply } from '../../remote/transport/transport.ts';
import type { Connection, ConnectionHooks } from '../session/session.ts';
import type { StoodInLists } from '../stand-in/provisional-lists.ts';
import type { Remembered } from '../stand-in/server-cache.ts';
import { absentAnswer, isObject, standInGreeting } from '../stand-in/stand-in.ts';
import { explain } from '../stand-in/unavailability.ts';
import { initializePatienceMs } from '../timing/host-patience.ts';
import { INITIALIZED_MS, RESTORE_REQUEST_MS, RESTORING_MS, STAND_IN_AFTER_MS } from '../timing/limits.ts';
import type { Inbox } from './host-delivery.ts';
import type { BridgeParts } from './parts.ts';
import type { OpenRequest, RequestTable } from './pending-requests.ts';
import type { Replies } from './response-reader.ts';
import type { ServerStream } from './server-stream.ts';
import type { SessionShape, Shaping } from './session-settings.ts';

export interface OpeningOptions {
  readonly parts: BridgeParts;
  readonly signal: StopSignal;
  readonly connection: () => Connection;
  readonly table: RequestTable;
  readonly inbox: Inbox;
  readonly replies: Replies;
  readonly stream: ServerStream;
  readonly shape: SessionShape;
  readonly lists: StoodInLists;
  readonly remembered: Promise<Remembered>;
}

/** What happens around the opening of a session: the effects of the lifecycle that reach the host or the server. */
export class Opening implements ConnectionHooks {
  readonly #options: OpeningOptions;
  /** The host's `notifications/initialized` as it came. */
  initialized: Uint8Array | undefined;
  /** The host's `initialize` was answered without the server. */
  stoodIn = false;
  /** Calls off the stand-in for an `initialize` that was answered. */
  #armed: AbortController | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  armStandIn(): void {
    this.#armed?.abort();
    const own = new AbortController();
    this.#armed = own;
    const { parts, connection, signal: closing } = this.#options;
    const signal = anySignal([closing, own.signal]);
    this.#untilDue(signal).then(
      () => connection().standInDue(),
      (error: unknown) => {
        if (!signal.aborted) logUnexpected(parts.logger, 'the wait for the server', error);
      },
    );
  }

  /** A server that is not known has more to say of itself than a stand-in could: where its answer is on its way, it is waited for. */
  async #untilDue(signal: StopSignal): Promise<void> {
    const { parts, connection, remembered } = this.#options;
    await parts.clock.sleep(STAND_IN_AFTER_MS, signal);
    if (isObject((await remembered).initialize)) return;
    const { contact, hello } = connection();
    const ms = initializePatienceMs(hello?.params) - STAND_IN_AFTER_MS;
    await contact.whileUnderWay(ms, parts.clock, signal);
  }

  async answerByStandIn(): Promise<void> {
    this.stoodIn = true;
    const { parts, connection, table, remembered } = this.#options;
    const { hello } = connection();
    if (hello === undefined) return;
    const greeting = standInGreeting(hello.params, await remembered, parts.version);
    const answer = resultAnswer(hello.id, greeting);
    if (table.take(hello.id) !== undefined) await parts.writer.write(answer);
  }

  relayGreeting: ConnectionHooks['relayGreeting'] = async (_hello, { json, result }) => {
    this.#armed?.abort();
    await this.#options.inbox.deliver(json);
    this.#options.parts.memory.update({ initialize: result });
  };

  relayFailure: ConnectionHooks['relayFailure'] = (hello, { json, error }) => {
    this.#armed?.abort();
    const { table, inbox } = this.#options;
    const request = table.get(hello.id);
    if (request === undefined) return;
    const code = error instanceof InternalError ? RpcErrorCode.internal : RpcErrorCode.bridge;
    if (json === undefined) inbox.fail(request, explain({ kind: 'failed', error }), undefined, code);
    else void inbox.deliver(json);
  };

  deliverOthers: ConnectionHooks['deliverOthers'] = async ({ others, rest }) => {
    const { inbox, replies } = this.#options;
    for (const message of others) await inbox.deliverEvent(message);
    if (rest !== undefined) void replies.drain(rest, 'the rest of the greeting');
  };

  async sendInitialized(session: SessionHeaders): Promise<void> {
    const { parts, signal } = this.#options;
    const body = this.initialized ?? notification('notifications/initialized');
    const what = 'the acceptance of notifications/initialized';
    const limit = { clock: parts.clock, ms: INITIALIZED_MS, signal, what };
    await this.#withoutHarm(limit, (within) => this.#post(body, session, within));
  }

  /** Resolves when the session is as the lost one was, or has to be used as it is; the rest is then done beside its messages. */
  async restore(session: SessionHeaders): Promise<void> {
    const { parts, signal, shape, connection } = this.#options;
    const restoring = async () => {
      for (const shaping of shape.all()) {
        // It may have been set before the server said that it has no log.
        const isAbsent = absentAnswer(shaping.method, this.stoodIn, connection().capabilities) !== undefined;
        if (!isAbsent) await this.#ask(shaping, session);
      }
    };
    const restored = restoring().catch((error: unknown) => {
      if (!signal.aborted) logUnexpected(parts.logger, 'restoring a session', error);
    });
    const stop = new AbortController();
    const enough = parts.clock.sleep(RESTORING_MS, stop.signal).catch(() => undefined);
    await Promise.race([restored, enough]);
    stop.abort();
  }

  /** The host wants this of the session that is being opened. */
  wish(shaping: Shaping): void {
    this.#options.shape.note(shaping);
  }

  listen(session: SessionHeaders): void {
    const { stream, parts } = this.#options;
    stream
      .listen(session)
      .catch((error: unknown) => logUnexpected(parts.logger, "the server's own stream", error));
  }

  async announceChanges(): Promise<void> {
    const { parts, connection, lists } = this.#options;
    const result = connection().greetingResult;
    if (result !== undefined) parts.memory.update({ initialize: result });
    for (const method of lists.changes()) await parts.writer.write(notification(method));
  }

  /** A request of the bridge's own, in the host's name; its answer goes no further. */
  async #ask(shaping: Shaping, session: SessionHeaders): Promise<void> {
    const { parts, signal, table, replies } = this.#options;
    const id = stringId(`drawbridge-${randomToken(parts.random, 96)}`);
    const bytes = serverRequest(id, shaping.method, shaping.params);
    const request = table.add({ id, bytes, ...shaping, answerHere: () => {} }) as OpenRequest;
    const limit = {
      ...{ clock: parts.clock, ms: RESTORE_REQUEST_MS, signal },
      what: `the answer to ${shaping.method}`,
    };
    await this.#withoutHarm(limit, async (within) => {
      within.addEventListener('abort', () => request.stop.abort(within.reason), { once: true });
      const reply = await this.#post(bytes, session, within);
      if (reply.kind !== 'refused') await replies.read(reply, request, session);
    });
    table.take(id);
  }

  /** What goes wrong in the opening of a session shows again with the next message. Rejects only when the bridge closes. */
  async #withoutHarm(limit: TimeLimit, work: (within: StopSignal) => Promise<unknown>): Promise<void> {
    const { parts, signal } = this.#options;
    try {
      await withinTimeLimit(limit, work);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      logFailure(parts.logger, 'a message of the opening was lost', error);
    }
  }

  /** One POST that belongs to the opening of a session. */
  async #post(body: Uint8Array | string, session: SessionHeaders, signal: StopSignal): Promise<Reply> {
    const { parts } = this.#options;
    const bearer = await parts.authorization.current(signal);
    const reply = await parts.http.post(body, { session, bearer, signal });
    if (reply.kind === 'refused') {
      parts.logger.warn('the server refused a message of the opening', { status: reply.refusal.status });
    }
    return reply;
  }
}
