import { isObject } from '../../protocol/json/json-object.ts';
import { rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { type MessageId, textOf } from '../../protocol/jsonrpc.ts';

/** A request of the host that shaped its session, to be made again in a new one. */
export interface RestorableRequest {
  readonly method: string;
  readonly params: unknown;
  /** The request as the host wrote it. */
  readonly bytes: Uint8Array | string;
}

/** What the host set up in its session and a new session has to know: the log level and the resource subscriptions. */
export class SessionSettings {
  #logLevel: RestorableRequest | undefined;
  readonly #subscriptions = new Map<string, RestorableRequest>();

  /** Takes note of a request that the server granted, or will be asked to grant. */
  note({ method, params, bytes }: RestorableRequest): void {
    if (method === 'logging/setLevel') this.#logLevel = { method, params, bytes };
    if (!isObject(params) || typeof params.uri !== 'string') return;
    if (method === 'resources/subscribe') this.#subscriptions.set(params.uri, { method, params, bytes });
    if (method === 'resources/unsubscribe') this.#subscriptions.delete(params.uri);
  }

  /** The requests that bring a new session to where the last one was. */
  all(): RestorableRequest[] {
    return [...(this.#logLevel === undefined ? [] : [this.#logLevel]), ...this.#subscriptions.values()];
  }
}

/** The request with another id; everything else keeps its text, since serializing parsed values would round big integers. */
export function withId({ bytes }: RestorableRequest, id: MessageId): string {
  return rawObject(rawMembers(textOf(bytes)).set('id', id));
}
