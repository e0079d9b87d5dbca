import { checkIn } from '../../errors.ts';
import { isListMethod } from '../../protocol/list-methods.ts';
import { capitalized } from '../../protocol/quote.ts';
import type { ListWait } from '../stand-in/list-wait.ts';
import { mayAskForSignIn, withoutSignInInput } from '../stand-in/sign-in-input.ts';
import type { UrlElicitation } from '../stand-in/url-elicitation.ts';
import type { HostProfile } from '../timing/host-profile.ts';
import { callWaitMs, WaitBudget } from '../timing/wait-budget.ts';
import type { HostDelivery } from './host-delivery.ts';
import {
  PendingRequest,
  type PendingRequests,
  type RequestMessage,
  type UnsentBytes,
} from './pending-requests.ts';
import type { ResponseReader } from './response-reader.ts';
import { type SendDeps, sendMessage } from './send.ts';
import type { StandInAnswers } from './stand-in-answers.ts';

export interface HostRequestDeps {
  readonly table: PendingRequests;
  readonly unsentBytes: UnsentBytes;
  /** The requests being processed, answered or not. */
  readonly running: Set<HostRequest>;
  readonly send: SendDeps;
  readonly responseReader: ResponseReader;
  readonly hostDelivery: HostDelivery;
  readonly standInAnswers: StandInAnswers;
  readonly urlElicitation: Pick<UrlElicitation, 'due'>;
  readonly listWait: ListWait;
  /** Of the host that sends the request with these parameters. */
  readonly profile: (params: unknown) => HostProfile;
  /** `--wait`: the request waits for the whole sign-in. */
  readonly wait: boolean;
}

/**
 * The life of one request, of the host or of the bridge itself: it is admitted, waits until the session is ready, is sent, its response is
 * read, and it is answered once, by the server or in the server's place.
 */
export class HostRequest extends PendingRequest {
  readonly #deps: HostRequestDeps;

  constructor(message: RequestMessage, deps: HostRequestDeps) {
    super(message);
    this.#deps = deps;
  }

  /** From now on its id is pending. No other request may use it. */
  admit(): void {
    const { table, unsentBytes } = this.#deps;
    table.add(this);
    unsentBytes.add(this.bytes.length);
  }

  override sent(): void {
    if (this.isSent) return;
    super.sent();
    this.#deps.unsentBytes.remove(this.bytes.length);
  }

  /** Relays the request to the server. It has its answer when this resolves. Never rejects. */
  relay(): Promise<void> {
    return this.#run(() => this.#relay());
  }

  /** Answers the stand-in's `sign_in` tool when the sign-in is over. Never rejects. */
  waitForSignIn(): Promise<void> {
    return this.#run(() => this.#deps.standInAnswers.signInTool(this));
  }

  /** An error of the program itself ends this request, and nothing else. */
  async #run(work: () => Promise<void>): Promise<void> {
    const { running, hostDelivery } = this.#deps;
    running.add(this);
    try {
      await work();
    } catch (error) {
      if (!this.stop.signal.aborted) hostDelivery.failUnexpectedly(this, error);
    } finally {
      this.sent();
      running.delete(this);
    }
  }

  async #relay(): Promise<void> {
    const { send, responseReader, hostDelivery, standInAnswers } = this.#deps;
    const { id, method, params } = this;
    const bytes = withoutSignInInput(this.bytes, params);
    const { signal } = this.stop;
    const waitBudget = new WaitBudget(send.clock, this.#waitLimit(), signal);
    this.waitBudget = waitBudget;
    const instead = () => standInAnswers.absent(id, method);
    const result = await sendMessage({ bytes, id, signal, waitBudget, progress: this, instead }, send);
    switch (result.kind) {
      case 'replied':
        return responseReader.read(result.reply, this, result.session);
      case 'answer':
        return hostDelivery.deliver(result.json);
      case 'timed-out':
        return standInAnswers.unavailable(this);
      case 'failed': {
        const { why, error, mayHaveRun } = result;
        const text = `${capitalized(why)}${mayHaveRun ? ' The call may have run.' : ''}`;
        return hostDelivery.fail(this, text, { mayHaveRun, ...checkIn(error) });
      }
    }
  }

  /** A host that can show an address only as the answer to a call gets that answer as soon as there is an address. */
  #waitLimit(): number | (() => number) {
    const { listWait, profile, wait, urlElicitation, send } = this.#deps;
    const { method, params } = this;
    if (!wait && mayAskForSignIn(method, params)) {
      const now = () => send.clock.monotonic();
      const end = now() + callWaitMs(wait);
      return () => (urlElicitation.due === undefined ? end : now());
    }
    if (wait || !isListMethod(method)) return callWaitMs(wait);
    const known = profile(params);
    return () => listWait.deadline(method, known);
  }
}
