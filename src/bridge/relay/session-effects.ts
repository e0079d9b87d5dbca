import { checkIn, InternalError } from '../../errors.ts';
import { logFailure, logUnexpected } from '../../platform/log/unexpected-error.ts';
import { ownId } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { notification, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { stringId } from '../../protocol/message-id.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';
import type { SessionHeaders } from '../../remote/http/message-options.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import type { ServerStream } from '../../remote/session/server-stream.ts';
import { postWithoutPerson, sendInitialized } from '../../remote/session/without-person.ts';
import { isRejection, statusOf } from '../../remote/transport/transport.ts';
import type { Session, SessionHooks } from '../session/session.ts';
import { type RestorableRequest, type SessionSettings, withId } from '../session/session-settings.ts';
import type { ListWait } from '../stand-in/list-wait.ts';
import type { ProvisionalLists } from '../stand-in/provisional-lists.ts';
import { absentAnswer, standInInitializeResult } from '../stand-in/stand-in.ts';
import { describeUnavailability } from '../stand-in/unavailability.ts';
import { hostProfile } from '../timing/host-profile.ts';
import { RESTORE_REQUEST_MS, RESTORING_MS, STAND_IN_AFTER_MS } from '../timing/limits.ts';
import type { HostDelivery } from './host-delivery.ts';
import type { BridgeParts } from './parts.ts';
import { PendingRequest, type PendingRequests } from './pending-requests.ts';
import type { ResponseReader } from './response-reader.ts';

export interface SessionEffectsOptions {
  readonly parts: BridgeParts;
  readonly signal: StopSignal;
  readonly table: PendingRequests;
  readonly hostDelivery: HostDelivery;
  readonly responseReader: ResponseReader;
  readonly stream: ServerStream;
  readonly settings: SessionSettings;
  readonly lists: ProvisionalLists;
  readonly listWait: Pick<ListWait, 'end'>;
  readonly cachedServer: Promise<CachedServer>;
}

/** The effects of the session's lifecycle that reach the host or the server. */
export class SessionEffects implements SessionHooks {
  readonly #options: SessionEffectsOptions;
  /** The host's `notifications/initialized`, byte for byte. */
  initialized: Uint8Array | undefined;
  /** The host's `initialize` was answered without the server. */
  stoodIn = false;
  /** Cancels the stand-in for an `initialize` that has been answered. */
  #armed: AbortController | undefined;

  constructor(options: SessionEffectsOptions) {
    this.#options = options;
  }

  armStandIn(session: Session): void {
    this.#armed?.abort();
    const own = new AbortController();
    this.#armed = own;
    const { parts, signal: closing } = this.#options;
    const signal = anySignal([closing, own.signal]);
    this.#untilDue(session, signal).then(
      () => session.standInDue(),
      (error: unknown) => {
        if (!signal.aborted) logUnexpected(parts.logger, 'the wait for the server', error);
      },
    );
  }

  /** Waits longer for a server without a cache if its answer is on its way: it says more about itself than a stand-in could. */
  async #untilDue(session: Session, signal: StopSignal): Promise<void> {
    const { parts, cachedServer } = this.#options;
    const { contact, initializeRequest } = session;
    const { initializeMs } = hostProfile(initializeRequest?.params);
    const firstMs = Math.min(STAND_IN_AFTER_MS, initializeMs);
    await parts.clock.sleep(firstMs, signal);
    if (isObject((await cachedServer).initialize)) return;
    await contact.whileUnderWay(initializeMs - firstMs, parts.clock, signal);
  }

  async answerByStandIn({ initializeRequest }: Session): Promise<void> {
    this.stoodIn = true;
    const { parts, table, cachedServer } = this.#options;
    if (initializeRequest === undefined) return;
    const result = standInInitializeResult(initializeRequest.params, await cachedServer, parts.version);
    const answer = resultAnswer(initializeRequest.id, result);
    if (table.settle(initializeRequest.id) !== undefined) await parts.writer.write(answer);
  }

  relayInitializeResult: SessionHooks['relayInitializeResult'] = async ({ json, result }) => {
    this.#armed?.abort();
    await this.#options.hostDelivery.deliver(json);
    this.#options.parts.memory.update({ initialize: result });
  };

  relayInitializeError: SessionHooks['relayInitializeError'] = (initializeRequest, { json, error }) => {
    this.#armed?.abort();
    const { table, hostDelivery } = this.#options;
    const request = table.get(initializeRequest.id);
    if (request === undefined) return;
    const code = error instanceof InternalError ? RpcErrorCode.internal : RpcErrorCode.bridge;
    if (json === undefined)
      hostDelivery.fail(request, describeUnavailability({ kind: 'failed', error }), checkIn(error), code);
    else void hostDelivery.deliver(json);
  };

  deliverOtherMessages: SessionHooks['deliverOtherMessages'] = async ({ others, rest }) => {
    const { hostDelivery, responseReader } = this.#options;
    for (const message of others) await hostDelivery.deliverEvent(message);
    if (rest !== undefined) void responseReader.drain(rest, 'the rest of the answer to initialize');
  };

  async sendInitialized({ headers }: Session): Promise<void> {
    const { parts, signal } = this.#options;
    const { transport, logger } = parts;
    const body = this.initialized ?? notification('notifications/initialized');
    await this.#withoutHarm(() => sendInitialized(transport, body, { session: headers, signal }, logger));
  }

  /** Resolves when the session has the lost one's settings, or after RESTORING_MS: the rest is then restored while messages are sent. */
  async restore(session: Session): Promise<void> {
    const { parts, signal, settings } = this.#options;
    const { headers } = session;
    const restoring = async () => {
      for (const restorable of settings.all()) {
        // It may have been set before the server said that it has no logging.
        const isAbsent = absentAnswer(restorable.method, this.stoodIn, session.capabilities) !== undefined;
        if (!isAbsent) await this.#ask(restorable, headers);
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

  /** The session that is being opened gets this setting. */
  rememberSetting(restorable: RestorableRequest): void {
    this.#options.settings.note(restorable);
  }

  listen({ headers }: Session): void {
    const { stream, parts, listWait } = this.#options;
    listWait.end();
    stream
      .listen(headers)
      .catch((error: unknown) => logUnexpected(parts.logger, "the server's own stream", error));
  }

  async announceChanges({ initializeResult: result, capabilities }: Session): Promise<void> {
    const { parts, lists } = this.#options;
    if (result !== undefined) parts.memory.update({ initialize: result });
    for (const method of lists.changes(capabilities)) await parts.writer.write(notification(method));
  }

  /** A request that the bridge makes in the host's name; its answer is not passed on. */
  async #ask(restorable: RestorableRequest, session: SessionHeaders): Promise<void> {
    const { parts, signal, table, responseReader } = this.#options;
    const id = stringId(ownId(parts.random));
    const bytes = withId(restorable, id);
    const request = new PendingRequest({ ...restorable, id, bytes, onResponse: () => {} });
    table.add(request);
    const what = `the answer to ${restorable.method}`;
    const limit = { clock: parts.clock, ms: RESTORE_REQUEST_MS, signal, what };
    await this.#withoutHarm(() =>
      withinTimeLimit(limit, async (within) => {
        const stop = () => request.stop.abort(within.reason);
        within.addEventListener('abort', stop, { once: true });
        try {
          const reply = await postWithoutPerson(parts.transport, bytes, { session, signal: within });
          if (!isRejection(reply)) return await responseReader.read(reply, request, session);
          const { method } = restorable;
          parts.logger.warn('the server refused to restore a setting', { method, status: statusOf(reply) });
        } finally {
          within.removeEventListener('abort', stop);
        }
      }),
    );
    table.settle(id);
  }

  /** A failure while a session is opened is only logged: the next message will meet it too. Rejects only when the bridge closes. */
  async #withoutHarm(work: () => Promise<unknown>): Promise<void> {
    const { parts, signal } = this.#options;
    try {
      await work();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      logFailure(parts.logger, 'a message of the opening was lost', error);
    }
  }
}
