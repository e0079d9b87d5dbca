import type { HostWriter } from '../../host/writer.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { logUnexpected } from '../../platform/log/unexpected-error.ts';
import { ownId, type Random } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { type MessageId, notification, RpcErrorCode, requestMessage } from '../../protocol/jsonrpc.ts';
import { IdMap, stringId } from '../../protocol/message-id.ts';
import { BROWSER_HEAD_START_MS, BROWSER_LOOK_MS, REFUSED_BY_PROGRAM_MS } from '../timing/limits.ts';
import { declaresUrlElicitation } from './stand-in.ts';

/** The bridge's knowledge of the host when it wants to show an address. */
export interface HostView {
  readonly params: unknown;
  readonly initialized: boolean;
  /** Whether a request of the host is pending: an idle host is not disturbed. */
  readonly waiting: boolean;
  /** Whether a tool call is pending. */
  readonly calling: boolean;
}

export interface UrlElicitationDeps {
  readonly writer: HostWriter;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The bridge is closing. */
  readonly signal: StopSignal;
  readonly host: () => HostView;
}

/** The sign-in that has this address. */
export interface SignInAddress {
  readonly address: string;
  readonly userCode: string | undefined;
  /** Whether the sign-in has opened a browser with it; false again if the browser turns out not to open. */
  readonly browserOpened: () => boolean;
}

interface Elicitation {
  readonly address: string;
  readonly id: string;
}

/** An `elicitation/create` that was sent to the host; its request and its elicitation share one id. */
interface Asked extends Elicitation {
  /** When it was sent, on the monotonic clock. */
  readonly at: number;
  /** How many tool calls the host had made by then. */
  readonly calls: number;
  /** The host declined it before a person can have read it. */
  refusedByProgram: boolean;
}

function messageFor(userCode: string | undefined): string {
  const code = userCode === undefined ? '' : ` The code to enter there: ${userCode}`;
  return `Sign in to use this server.${code}`;
}

/**
 * Shows the address of a sign-in to the person by way of the host (specification 2025-11-25, Elicitation → URL mode), and only to hosts that
 * declare this mode: "Servers MUST NOT send elicitation requests with modes that are not supported by the client" (Elicitation → Capabilities; a
 * bare `{}`, all that revision 2025-06-18 knows, means form mode).
 */
export class UrlElicitation {
  readonly #deps: UrlElicitationDeps;
  readonly #asked = new IdMap<Asked>();
  #signIn: SignInAddress | undefined;
  /** The sign-in again, once its address may be shown: no browser was opened with it, or the person had time to notice that browser. */
  #due: SignInAddress | undefined;
  /** Ends the wait for the browser that was opened. */
  #waiting: AbortController | undefined;
  #last: Asked | undefined;
  /** An elicitation that was only named in an error. */
  #named: Elicitation | undefined;
  #calls = 0;

  constructor(deps: UrlElicitationDeps) {
    this.#deps = deps;
  }

  /** A sign-in now has this address. */
  setAddress(signIn: SignInAddress): void {
    this.#waiting?.abort();
    this.#signIn = signIn;
    this.#due = undefined;
    if (!signIn.browserOpened()) return this.#show(signIn);
    const { signal, logger } = this.#deps;
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#untilDue(signIn, anySignal([signal, waiting.signal])).then(
      () => this.#show(signIn),
      (error: unknown) => {
        if (!signal.aborted && !waiting.signal.aborted)
          logUnexpected(logger, 'the wait for a browser', error);
      },
    );
  }

  #show(signIn: SignInAddress): void {
    this.#due = signIn;
    this.offer();
  }

  /** A person who is signing in already must not be given a second tab by the host. */
  async #untilDue({ browserOpened }: SignInAddress, signal: StopSignal): Promise<void> {
    const { clock } = this.#deps;
    const end = clock.monotonic() + BROWSER_HEAD_START_MS;
    while (browserOpened() && clock.monotonic() < end) await clock.sleep(BROWSER_LOOK_MS, signal);
  }

  /** The address that a host should show now for the sign-in; undefined if there is none, or the browser has its head start. */
  get due(): { readonly address: string; readonly message: string } | undefined {
    if (this.#due === undefined) return undefined;
    const { address, userCode } = this.#due;
    return { address, message: messageFor(userCode) };
  }

  /** The host made a tool call: some hosts show an elicitation only during a call, and decline it at any other time. */
  called(): void {
    this.#calls++;
    this.offer();
  }

  /** Sends the address to the host if the host can show it and waits for something: once, and once more where only its program declined. */
  offer(): void {
    const { host, random, clock, writer } = this.#deps;
    const { due } = this;
    if (due === undefined) return;
    const { address, message } = due;
    const { params, initialized, waiting, calling } = host();
    if (!initialized || !waiting || !declaresUrlElicitation(params)) return;
    const before = this.#last?.address === address ? this.#last : undefined;
    const isWorthAgain = before?.refusedByProgram && calling && before.calls < this.#calls;
    if (before !== undefined && !isWorthAgain) return;
    const id = ownId(random);
    this.#last = { address, id, at: clock.monotonic(), calls: this.#calls, refusedByProgram: false };
    this.#asked.set(stringId(id), this.#last);
    const asked = { mode: 'url', elicitationId: id, url: address, message };
    void writer.write(requestMessage(stringId(id), 'elicitation/create', asked));
  }

  /** Takes a response of the host. False: it was for the server, not for the bridge. */
  takes(id: MessageId, response: JsonObject): boolean {
    const asked = this.#asked.find(id);
    if (asked === undefined) return false;
    const { result } = response;
    const isAccepted = isObject(result) && result.action === 'accept';
    if (!isAccepted && this.#deps.clock.monotonic() - asked.at < REFUSED_BY_PROGRAM_MS) {
      asked.refusedByProgram = true;
      // A call may have come in the meantime.
      this.offer();
    }
    return true;
  }

  /** The sign-in ended; the host may close what it shows. */
  complete(): void {
    this.#waiting?.abort();
    this.#signIn = undefined;
    this.#due = undefined;
    for (const elicitation of [this.#last, this.#named]) {
      if (elicitation === undefined) continue;
      const params = { elicitationId: elicitation.id };
      void this.#deps.writer.write(notification('notifications/elicitation/complete', params));
    }
    this.#last = undefined;
    this.#named = undefined;
  }

  /** The code and data of an error that let the host show the address. */
  errorFor(address: string): { readonly code: number; readonly data: unknown } {
    const { host, random } = this.#deps;
    if (!declaresUrlElicitation(host().params)) return { code: RpcErrorCode.bridge, data: { address } };
    let known = [this.#last, this.#named].find((elicitation) => elicitation?.address === address);
    if (known === undefined) {
      known = { address, id: ownId(random) };
      this.#named = known;
    }
    const message = messageFor(this.#signIn?.userCode);
    const elicitation = { mode: 'url', elicitationId: known.id, url: address, message };
    return { code: RpcErrorCode.urlElicitationRequired, data: { elicitations: [elicitation] } };
  }
}
