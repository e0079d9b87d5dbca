import type { TlsSettings } from '../../platform/dial.ts';
import { type Endpoint, formatEndpoint, type StoreUrl } from '../../protocol/store-url.ts';
import { type ClientTools, RedisClient, type Reply } from './client.ts';
import { ConnectionLostError, EngineRefusal, NO_PRIMARY } from './errors.ts';

/** The report of one Sentinel. */
interface Report {
  /** Its own id, or its address if it reports none. */
  readonly id: string;
  /** Where it thinks the primary is. */
  readonly primary: Endpoint | undefined;
  readonly others: readonly (Endpoint & { readonly id: string })[];
}

/** The Sentinels of a primary. They are queried in parallel, each on a connection of its own. */
export class Sentinels {
  readonly #url: StoreUrl;
  readonly #name: string;
  readonly #tls: TlsSettings | undefined;
  readonly #tools: ClientTools;
  #wantPassword = false;

  constructor(url: StoreUrl, name: string, tls: TlsSettings | undefined, tools: ClientTools) {
    this.#url = url;
    this.#name = name;
    this.#tls = tls;
    this.#tools = tools;
  }

  /** The primary named by most of those that answer in time. Rejects with ConnectionLostError if none names one. */
  async find(atMostMs: number): Promise<Endpoint> {
    const endpoints = this.#url.endpoints;
    const votes = new Map<string, Endpoint[]>();
    let failure: unknown;
    const found = await untilDecided(
      endpoints.map((endpoint) => this.#ask(endpoint, atMostMs)),
      ({ primary }) => {
        if (primary === undefined) return undefined;
        const same = [...(votes.get(formatEndpoint(primary)) ?? []), primary];
        votes.set(formatEndpoint(primary), same);
        return same.length > endpoints.length / 2 ? primary : undefined;
      },
      (error) => {
        failure ??= error;
      },
    );
    const most = [...votes.values()].sort((one, other) => other.length - one.length)[0]?.[0];
    const primary = found ?? most;
    if (primary !== undefined) return primary;
    throw failure instanceof EngineRefusal
      ? failure
      : new ConnectionLostError(NO_PRIMARY, { sent: false, cause: failure });
  }

  /** Whether most of all Sentinels, including those that only the others name, agree that the primary is there. False also if too few answer in time. */
  async agree(on: Endpoint, atMostMs: number): Promise<boolean> {
    const ids = new Set<string>();
    const yes = new Set<string>();
    let total = 0;
    const others = new Map<string, Endpoint>();
    const tally = ({ id, primary, others: named }: Report): true | undefined => {
      ids.add(id);
      if (primary !== undefined && formatEndpoint(primary) === formatEndpoint(on)) yes.add(id);
      total = Math.max(total, named.length + 1);
      for (const other of named) others.set(other.id, other);
      return yes.size > total / 2 ? true : undefined;
    };
    const ask = (endpoint: Endpoint) => this.#ask(endpoint, atMostMs / 2);
    if (await untilDecided(this.#url.endpoints.map(ask), tally)) return true;
    const unheard = [...others].filter(([id]) => !ids.has(id)).map(([, endpoint]) => endpoint);
    return (await untilDecided(unheard.map(ask), tally)) ?? false;
  }

  async #ask(endpoint: Endpoint, atMostMs: number): Promise<Report> {
    const { user, password } = this.#url;
    const account = { user, password };
    if (this.#wantPassword) return await this.#askAs(account, endpoint, atMostMs);
    try {
      return await this.#askAs({ user: undefined, password: undefined }, endpoint, atMostMs);
    } catch (error) {
      // Most Sentinels have no password. Those with one usually have that of the servers.
      const wantsPassword = error instanceof EngineRefusal && /^(NOAUTH|NOPERM)$/.test(error.reply);
      if (!wantsPassword || (user === undefined && password === undefined)) throw error;
      this.#wantPassword = true;
      return await this.#askAs(account, endpoint, atMostMs);
    }
  }

  async #askAs(
    account: Pick<StoreUrl, 'user' | 'password'>,
    endpoint: Endpoint,
    atMostMs: number,
  ): Promise<Report> {
    const target = { ...endpoint, tls: this.#tls };
    const client = await RedisClient.open(
      { target, ...account, database: 0, connectMs: atMostMs },
      this.#tools,
    );
    try {
      const ask = (...words: string[]) => client.send('SENTINEL', words, atMostMs);
      const [address, others, id] = await Promise.all([
        ask('GET-MASTER-ADDR-BY-NAME', this.#name),
        ask('SENTINELS', this.#name).catch(unlessLost),
        ask('MYID').catch(unlessLost),
      ]);
      return {
        id: texts([id])[0] ?? formatEndpoint(endpoint),
        primary: endpointOf(texts(address)),
        others: (Array.isArray(others) ? (others as readonly Reply[]) : []).flatMap(described),
      };
    } finally {
      client.close();
    }
  }
}

/** The first decision that a report leads to; undefined if all reports are in, or have failed, without one. */
function untilDecided<T>(
  reports: readonly Promise<Report>[],
  decide: (report: Report) => T | undefined,
  onFailure: (error: unknown) => void = () => undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const all = reports.map(async (report) => {
      try {
        const decision = decide(await report);
        if (decision !== undefined) resolve(decision);
      } catch (error) {
        onFailure(error);
      }
    });
    void Promise.all(all).then(() => resolve(undefined));
  });
}

function unlessLost(error: unknown): null {
  if (error instanceof EngineRefusal) return null;
  throw error;
}

const texts = (reply: Reply): string[] =>
  Array.isArray(reply)
    ? (reply as readonly Reply[]).flatMap((each) =>
        each instanceof Uint8Array ? [Buffer.from(each).toString()] : [],
      )
    : [];

function endpointOf([host, port]: readonly (string | undefined)[]): Endpoint | undefined {
  const number = Number(port);
  const isAddress =
    host !== undefined && host !== '' && Number.isInteger(number) && number > 0 && number < 65_536;
  return isAddress ? { host, port: number } : undefined;
}

/** One entry of `SENTINEL SENTINELS`: names and values in turn. */
function described(reply: Reply): (Endpoint & { id: string })[] {
  const words = texts(reply);
  const value = (name: string) => words[words.indexOf(name) + 1];
  const [endpoint, id] = [endpointOf([value('ip'), value('port')]), value('runid')];
  return endpoint === undefined || id === undefined ? [] : [{ ...endpoint, id }];
}
