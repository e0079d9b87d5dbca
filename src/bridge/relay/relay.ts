import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { missingCapability, missingCapabilityReason } from '../../protocol/client-capabilities.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { errorAnswer, type MessageId, RpcErrorCode, resultAnswer } from '../../protocol/jsonrpc.ts';
import { ServerStream } from '../../remote/session/server-stream.ts';
import { mayRelay } from '../session/lifecycle.ts';
import { Session } from '../session/session.ts';
import { SessionSettings } from '../session/session-settings.ts';
import { ListWait } from '../stand-in/list-wait.ts';
import { PendingSignIn } from '../stand-in/pending-sign-in.ts';
import { ProvisionalLists } from '../stand-in/provisional-lists.ts';
import { UrlElicitation } from '../stand-in/url-elicitation.ts';
import { hostProfile } from '../timing/host-profile.ts';
import { WakeDetector } from '../timing/wake-detector.ts';
import { HostDelivery } from './host-delivery.ts';
import { HostNotifications } from './host-notifications.ts';
import type { HostRequest, HostRequestDeps } from './host-request.ts';
import type { BridgeParts } from './parts.ts';
import { PendingRequests, UnsentBytes } from './pending-requests.ts';
import { ResponseReader } from './response-reader.ts';
import type { SendDeps } from './send.ts';
import { ServerAnswers } from './server-answers.ts';
import { SessionEffects } from './session-effects.ts';
import { StandInAnswers } from './stand-in-answers.ts';

/** The parts of one bridge put together, and what concerns all of them. */
export class Relay {
  readonly #parts: BridgeParts;
  readonly #closing = new AbortController();
  readonly #stream: ServerStream;
  readonly #settings = new SessionSettings();
  readonly #running = new Set<HostRequest>();
  readonly table = new PendingRequests();
  readonly lists = new ProvisionalLists();
  readonly listWait: ListWait;
  readonly urlElicitation: UrlElicitation;
  readonly hostDelivery: HostDelivery;
  readonly session: Session;
  readonly sessionEffects: SessionEffects;
  readonly standInAnswers: StandInAnswers;
  readonly notifications: HostNotifications;
  readonly requestDeps: HostRequestDeps;
  /** Stdin has ended: the host will answer no request of the server. */
  hostEnded = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { table, lists } = this;
    const { random, writer, logger, clock, transport } = parts;
    const fraction = () => random.fraction();
    const signal = this.#closing.signal;
    const cachedServer = parts.memory.read();
    this.listWait = new ListWait({ clock, unavailability: () => this.session.unavailability });
    void cachedServer.then((lastTime) => {
      this.listWait.lastTime = lastTime;
    });
    this.urlElicitation = new UrlElicitation({
      writer,
      random,
      clock,
      logger,
      signal,
      host: () => ({
        params: this.session.initializeRequest?.params,
        initialized: this.session.state.initializedReceived,
        waiting: table.size > 0,
        calling: table.all().some(({ method }) => method === 'tools/call'),
      }),
    });
    const pendingSignIn = this.#pendingSignIn();
    const serverAnswers = new ServerAnswers({
      ...parts,
      session: () => this.session,
      settings: this.#settings,
      lists,
      listWait: this.listWait,
    });
    this.hostDelivery = new HostDelivery({
      table,
      writer,
      logger,
      toolFilter: parts.toolFilter,
      serverAnswers,
      mayAsk: (id, method) => this.#mayAsk(id, method),
      answerServer: (answer) => void this.notifications.send(Buffer.from(answer)),
    });
    const beforeBody = writer.untilReady;
    this.#stream = new ServerStream({
      ...parts,
      fraction,
      signal,
      deliver: (data) => this.hostDelivery.deliverEvent(data),
      beforeBody,
      onLost: (session) => this.session.lost(session, { quietly: true }),
      onSilenced: (session) => responseReader.silenced(session),
    });
    const responseReader = new ResponseReader({
      ...parts,
      table,
      signal,
      hostDelivery: this.hostDelivery,
      beforeBody,
      mayBring: (session) => this.#stream.mayBring(session),
    });
    this.sessionEffects = new SessionEffects({
      parts,
      signal,
      table,
      hostDelivery: this.hostDelivery,
      responseReader,
      stream: this.#stream,
      settings: this.#settings,
      lists,
      listWait: this.listWait,
      cachedServer,
    });
    this.session = new Session({ ...parts, signal, fraction, pendingSignIn, hooks: this.sessionEffects });
    const wakeDetector = new WakeDetector({
      clock,
      logger,
      signal,
      onWake: () => this.#reconnect('the machine slept'),
      onClockMoved: () => this.#reconnect('the clock was set', { keepsInUse: true }),
    });
    const send: SendDeps = {
      transport,
      session: this.session,
      pendingSignIn,
      clock,
      fraction,
      wakeDetector,
      beforeBody,
    };
    this.standInAnswers = new StandInAnswers({
      ...parts,
      table,
      lists,
      listWait: this.listWait,
      sessionEffects: this.sessionEffects,
      cachedServer,
      session: this.session,
      serverAnswers,
      urlElicitation: this.urlElicitation,
      hostDelivery: this.hostDelivery,
    });
    this.notifications = new HostNotifications({
      parts,
      signal,
      send,
      hostDelivery: this.hostDelivery,
      responseReader,
    });
    this.requestDeps = {
      table,
      unsentBytes: new UnsentBytes(),
      running: this.#running,
      send,
      responseReader,
      hostDelivery: this.hostDelivery,
      standInAnswers: this.standInAnswers,
      urlElicitation: this.urlElicitation,
      listWait: this.listWait,
      profile: (params) => hostProfile(this.session.initializeRequest?.params ?? params),
      wait: parts.wait,
    };
    if (parts.pingIntervalMs !== undefined) {
      this.#startPings(parts.pingIntervalMs).catch((error: unknown) =>
        logUnexpected(logger, 'the pings', error),
      );
    }
  }

  /** Tells the server that the session is over. Its response changes nothing. */
  async endSession(signal: StopSignal): Promise<void> {
    const { transport, logger } = this.#parts;
    const { headers, withoutSession } = this.session;
    if (headers.sessionId === undefined && !withoutSession) return;
    try {
      const status = await transport.end({ session: headers, signal });
      logger.debug('ended the session', { status });
    } catch (error) {
      logger.debug('could not end the session', { error: String(error) });
    }
  }

  /** Ends everything that is under way. */
  abort(): void {
    this.#closing.abort();
    for (const request of this.#running) request.stop.abort();
  }

  #pendingSignIn(): PendingSignIn {
    const pendingSignIn: PendingSignIn = new PendingSignIn({
      onAddress: (address, userCode) => {
        const how =
          userCode === undefined
            ? 'If no browser has opened, open this address:'
            : `On any device, enter the code ${userCode} at this address:`;
        this.#parts.logger.inform(`Sign in to this server. ${how}\n  ${address}`);
        const browserOpened = () => pendingSignIn.browserOpened;
        this.urlElicitation.setAddress({ address, userCode, browserOpened });
      },
      onEnd: (succeeded) => {
        this.urlElicitation.complete();
        // If the session is lost as well, the changes are announced when there is a new one.
        if (succeeded && mayRelay(this.session.state)) void this.sessionEffects.announceChanges(this.session);
      },
    });
    return pendingSignIn;
  }

  async #startPings(everyMs: number): Promise<void> {
    const { sendPings } = await import('./pings.ts');
    await sendPings({
      ...this.#parts,
      everyMs,
      table: this.table,
      signal: this.#closing.signal,
      ready: () => mayRelay(this.session.state),
      requestDeps: this.requestDeps,
      onSilence: () => this.#reconnect('the server fell silent'),
    });
  }

  /** Connections that may be dead are not used again, and the server's stream is opened again. */
  #reconnect(why: string, options?: Parameters<BridgeParts['transport']['dropIdleConnections']>[0]): void {
    this.#parts.logger.debug('connecting again', { reason: why });
    this.#parts.transport.dropIdleConnections(options);
    this.#stream.reopen();
  }

  /** Whether the host can answer this request of the server. Where it cannot, the request is answered in the host's name. */
  #mayAsk(id: MessageId, method: string): boolean {
    const params = this.session.initializeRequest?.params;
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
}
