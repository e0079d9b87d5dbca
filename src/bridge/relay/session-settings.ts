import { isObject } from '../stand-in/stand-in.ts';

/** A request of the host that shaped its session, to be made again in a new one. */
export interface Shaping {
  readonly method: string;
  readonly params: unknown;
}

/** What the host set up in its session and a new session has to know: the log level and the resource subscriptions. */
export class SessionShape {
  #logLevel: Shaping | undefined;
  readonly #subscriptions = new Map<string, Shaping>();

  /** Takes note of a request that the server granted, or will be asked to grant. */
  note({ method, params }: Shaping): void {
    if (method === 'logging/setLevel') this.#logLevel = { method, params };
    if (!isObject(params) || typeof params.uri !== 'string') return;
    if (method === 'resources/subscribe') this.#subscriptions.set(params.uri, { method, params });
    if (method === 'resources/unsubscribe') this.#subscriptions.delete(params.uri);
  }

  /** The requests that bring a new session to where the last one was. */
  all(): Shaping[] {
    return [...(this.#logLevel === undefined ? [] : [this.#logLevel]), ...this.#subscriptions.values()];
  }
}
