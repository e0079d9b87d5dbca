import type { TlsSettings } from '../../platform/dial.ts';
import { type Endpoint, endpointElsewhere, formatEndpoint, type StoreUrl } from '../../protocol/store-url.ts';
import { type ClientOptions, type ClientTools, RedisClient } from './client.ts';
import { ConnectionLostError } from './errors.ts';
import { CONNECT_MS, SENTINEL_MS } from './limits.ts';
import { Sentinels } from './sentinels.ts';

/** The server that takes writes: the one in the address of the store, or the one that its Sentinels name. */
export class Primary {
  /** For messages: hosts and ports, without user and password. */
  readonly place: string;
  readonly #url: StoreUrl;
  readonly #tls: TlsSettings | undefined;
  readonly #sentinels: Sentinels | undefined;
  readonly #tools: ClientTools;

  constructor(url: StoreUrl, tls: TlsSettings | undefined, tools: ClientTools) {
    this.#url = url;
    this.#tls = tls;
    this.#tools = tools;
    const { primary } = url;
    this.#sentinels = primary === undefined ? undefined : new Sentinels(url, primary, tls, tools);
    const hosts = url.endpoints.map((endpoint) => formatEndpoint(endpoint)).join(', ');
    this.place = primary === undefined ? hosts : `${primary} of the Sentinels ${hosts}`;
  }

  get hasSentinels(): boolean {
    return this.#sentinels !== undefined;
  }

  /** A new connection. Rejects with ConnectionLostError, BadReplyError or EngineRefusal. */
  async open(how: Pick<ClientOptions, 'signal' | 'mustAnswer'>): Promise<RedisClient> {
    const endpoint = (await this.#sentinels?.find(SENTINEL_MS)) ?? this.#url.endpoints[0];
    this.#refuseElsewhere(endpoint);
    const { user, password, database } = this.#url;
    const target = { ...endpoint, tls: this.#tls };
    const options = { ...how, target, user, password, database, connectMs: CONNECT_MS };
    return await RedisClient.open(options, this.#tools);
  }

  /** Whether most of the Sentinels still name this server. Never rejects. */
  async isNamed(endpoint: Endpoint, atMostMs: number): Promise<boolean> {
    return (await this.#sentinels?.agree(endpoint, atMostMs)) ?? false;
  }

  /** A user who named only Sentinels on this machine has not agreed to send the password over a network in plain text. */
  #refuseElsewhere(endpoint: Endpoint): void {
    if (this.#tls !== undefined || endpointElsewhere(this.#url.endpoints) !== undefined) return;
    if (endpointElsewhere([endpoint]) === undefined) return;
    throw new ConnectionLostError(
      `the Sentinels name ${formatEndpoint(endpoint)}, which is on another machine and is not spoken to without TLS`,
      { sent: false },
    );
  }
}
