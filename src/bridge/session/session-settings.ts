import { isObject } from '../../protocol/json/json-object.ts';
import { rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { type MessageId, textOf } from '../../protocol/jsonrpc.ts';

/** A request of the host that changed its session, to be repeated in a new one. */
export interface RestorableRequest {
  readonly method: string;
  readonly params: unknown;
  /** The request as the host wrote it. */
  readonly bytes: Uint8Array | string;
}

/** The settings of a session that a new one has to get: the log level and the resource subscriptions. */
export class SessionSettings {
  #logLevel: RestorableRequest | undefined;
  readonly #subscriptions = new Map<string, RestorableRequest>();

  /** Records a request that the server granted, or will be asked to grant. */
  note({ method, params, bytes }: RestorableRequest): void {
    if (method === 'logging/setLevel') this.#logLevel = { method, params, bytes };
    if (!isObject(params) || typeof params.uri !== 'string') return;
    if (method === 'resources/subscribe') this.#subscriptions.set(params.uri, { method, params, bytes });
    if (method === 'resources/unsubscribe') this.#subscriptions.delete(params.uri);
  }

  /** The requests that restore the last session's settings in a new one. */
  all(): RestorableRequest[] {
    return [...(this.#logLevel === undefined ? [] : [this.#logLevel]), ...this.#subscriptions.values()];
  }
}

/** The request with another id; everything else keeps its text, since serializing parsed values would round big integers. */
export function withId({ bytes }: RestorableRequest, id: MessageId): string {
  return rawObject(rawMembers(textOf(bytes)).set('id', id));
}
