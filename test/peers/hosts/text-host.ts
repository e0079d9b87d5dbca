import type { ComposedBridge } from './composed-bridge.ts';

export const HOST_ERAS = ['legacy', 'modern'] as const;
export type HostEra = (typeof HOST_ERAS)[number];

const META =
  '"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
  '"io.modelcontextprotocol/clientInfo":{"name":"text","version":"1"},' +
  '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}';

/** A host that writes its messages as text and looks at the ids of its answers as text. */
export class TextHost {
  readonly #bridge: ComposedBridge;
  readonly era: HostEra;

  constructor(bridge: ComposedBridge, era: HostEra) {
    this.#bridge = bridge;
    this.era = era;
  }

  /** `members` and `meta` are those of the parameters and of their `_meta`. */
  send(id: string, method: string, members = '', meta = ''): void {
    const own = this.era === 'modern' ? META : '"own":1';
    const both = `"_meta":{${meta === '' ? own : `${own},${meta}`}}`;
    const params = members === '' ? both : `${members},${both}`;
    this.#bridge.send(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${params}}}`);
  }

  notify(method: string, params = ''): void {
    this.#bridge.send(`{"jsonrpc":"2.0","method":"${method}","params":{${params}}}`);
  }

  /** The lines that answer this id. */
  answersTo(id: string, from = 0): string[] {
    return this.#bridge.received.entries
      .slice(from)
      .map(({ line }) => line)
      .filter((line) => ANSWER.exec(line)?.[1] === id);
  }

  async answer(id: string, from = 0): Promise<string> {
    await this.#bridge.received.until(() => this.answersTo(id, from).length > 0, {
      what: `the answer to ${id}`,
    });
    return this.answersTo(id, from)[0] as string;
  }

  async request(id: string, method: string, members = '', meta = ''): Promise<string> {
    const from = this.#bridge.received.entries.length;
    this.send(id, method, members, meta);
    return this.answer(id, from);
  }

  /** What a host of its era begins with; the answer. */
  async open(id = '"open"'): Promise<string> {
    if (this.era === 'modern') return this.request(id, 'server/discover');
    const from = this.#bridge.received.entries.length;
    const params =
      '"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"text","version":"1"}';
    this.send(id, 'initialize', params);
    const answer = await this.answer(id, from);
    if (answer.includes('"result":')) this.notify('notifications/initialized');
    return answer;
  }
}

const ANSWER = /^\{"jsonrpc":"2\.0","id":("(?:[^"\\]|\\.)*"|[^,}]+),"(?:result|error)":/;
