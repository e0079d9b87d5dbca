import type { Listen, ListenerAnswer, LoopbackListener } from '../../platform/http/loopback-listener.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { CallbackAddress } from '../../protocol/oauth-settings.ts';
import { renderPage } from '../../ui/pages.ts';
import {
  type AuthorizationResponseOutcome,
  type CallbackExpectation,
  validateAuthorizationResponse,
} from './authorization-response.ts';

/** The browser came back with our state; it waits for a response, which has to be sent once. */
export interface Arrival {
  readonly judgement: Exclude<AuthorizationResponseOutcome, { kind: 'foreign' }>;
  respond(answer: ListenerAnswer): void;
}

/** The address to which the browser returns. Forgeries and replays are handled here and never reach the caller (.github/SECURITY.md, attacks 27–29). */
export class RedirectReceiver {
  #listener: LoopbackListener | undefined;
  readonly #server: string;
  readonly #logger: Logger;
  #expectation: CallbackExpectation | undefined;
  #isUsed = false;
  #arrive: (arrival: Arrival) => void = () => {};
  #arrival: Promise<Arrival> = never;

  constructor(server: string, logger: Logger) {
    this.#server = server;
    this.#logger = logger;
  }

  /** The port is bound when it resolves; rejects with CallbackPortError. */
  async open(listen: Listen, callback: CallbackAddress, port: number | undefined): Promise<string> {
    const { host, path } = callback;
    this.#listener = await listen({ host, path, port, answer: (query) => this.#answer(query) });
    return redirectUri(callback, this.#listener.port);
  }

  /** From now on the callback with this state, and only that one, is accepted; it may arrive before anyone waits for it. */
  expect(expectation: CallbackExpectation): void {
    this.#expectation = expectation;
    this.#isUsed = false;
    this.#arrival = new Promise((resolve) => {
      this.#arrive = resolve;
    });
  }

  arrival(signal: AbortSignal): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#arrival.then((arrival) => {
        signal.removeEventListener('abort', abort);
        resolve(arrival);
      }, reject);
    });
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #answer(query: string): Promise<ListenerAnswer> {
    const judgement =
      this.#expectation === undefined
        ? ({ kind: 'foreign', reason: 'wrong' } as const)
        : validateAuthorizationResponse(query, this.#expectation);
    if (judgement.kind === 'foreign') {
      this.#logger.debug('callback refused', { reason: `state ${judgement.reason}` });
      return Promise.resolve(renderPage({ kind: 'bad-request' }));
    }
    if (this.#isUsed) return Promise.resolve(renderPage({ kind: 'gone', server: this.#server }));
    this.#isUsed = true;
    return new Promise((respond) => this.#arrive({ judgement, respond }));
  }
}

export function redirectUri({ host, path }: CallbackAddress, port: number): string {
  return `http://${host}:${port}${path}`;
}

/** The port of a registered redirect URI, if nothing else in it differs from the one wanted now. */
export function registeredPort(registered: string, callback: CallbackAddress): number | undefined {
  const port = URL.canParse(registered) ? Number(new URL(registered).port) : 0;
  if (port === 0 || redirectUri(callback, port) !== registered) return undefined;
  return callback.port === undefined || callback.port === port ? port : undefined;
}

const never = new Promise<never>(() => {});
