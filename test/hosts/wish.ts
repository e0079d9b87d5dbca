import type { Asked, OfferedTool, Turn } from './model/wire.ts';
import type { HostProfile } from './profiles.ts';

/** A tool that is looked up fails, or is refused by its host, at most so often. */
const TRIES = 2;
/** Short ones first, so that a fast start is seen to be one; then fewer, since each makes the conversation longer. */
const SHORT_PAUSES = 10;

/** What the answer of `sign_in` says to a host that keeps the tools that it got first. */
export const WHAT_TO_DO = /[^".]*\brestart this MCP server[^".]*/i;

export interface WishOptions {
  /** How many calls of `add` the model makes; 0: it ends its turn at once. */
  readonly calls?: number;
  /** Before the call of this number, from 0. */
  readonly before?: (call: number) => Promise<void>;
  /** While it says so, the model passes time until the tool is offered. */
  readonly keepsWaiting?: () => boolean;
}

/** What the person of one run asked for, and how the model goes about it. */
export class Wish {
  /** Part of the prompt, so that the model knows whose turn it is. */
  readonly mark = `[run ${1000 + Math.floor(Math.random() * 9000)}]`;
  readonly prompt = `Call the tool add of the server world. ${this.mark}`;
  /** When the host handed the model the sum, one for each call. */
  readonly answeredAt: number[] = [];
  /** What the model was offered last, and why its turn ended. */
  ending = 'the model was never asked';
  readonly #profile: HostProfile;
  readonly #calls: number;
  readonly #options: WishOptions;
  readonly #base = 100_000_000 + Math.floor(Math.random() * 800_000_000);
  readonly #tries: number[] = [];
  #lookups = 0;
  #pauses = 0;
  #turn = 0;
  #calledLast = '';

  constructor(profile: HostProfile, options: WishOptions) {
    this.#profile = profile;
    this.#options = options;
    this.#calls = options.calls ?? 1;
  }

  get isFulfilled(): boolean {
    return this.answeredAt.length === this.#calls;
  }

  /** What the MCP server sees of a call. */
  isCall(number: number, body: string): boolean {
    return body.includes('"tools/call"') && body.includes(`"a":${this.#a(number)}`);
  }

  decide = async (asked: Asked): Promise<Turn> => {
    while (this.answeredAt.length < this.#calls && asked.text.includes(this.#sum(this.answeredAt.length)))
      this.answeredAt.push(Date.now());
    const next = this.answeredAt.length;
    if (next === this.#calls) return this.#end('done');
    const add = find(asked, /(?:^|[^a-z])add$/);
    if (add !== undefined) {
      this.#tries[next] = (this.#tries[next] ?? 0) + 1;
      if (this.#tries[next] > TRIES) return this.#end('the tool was called, but its answer never came back');
      await this.#options.before?.(next);
      return this.#call(add, { a: this.#a(next), b: 1 });
    }
    return this.#withoutTool(asked);
  };

  #withoutTool(asked: Asked): Turn {
    // Some hosts offer tools by name alone, until the model looks them up.
    const search = find(asked, /^tool_search$/);
    if (search !== undefined && asked.text.includes('mcp__world__') && this.#lookups < 2 * TRIES) {
      this.#lookups++;
      return this.#call(search, { query: 'select:mcp__world__add,mcp__world__sign_in' });
    }
    if (this.#profile.ignoresListChanged && WHAT_TO_DO.test(asked.text)) {
      return this.#end('the model knows that this server has to be started again');
    }
    if (this.#options.keepsWaiting?.() !== true) return this.#end(`the model was offered ${names(asked)}`);
    const signIn = find(asked, /sign_in$/);
    // In turn with a pause: hosts end a model that makes the same call again and again.
    if (signIn !== undefined && !this.#calledLast.endsWith('sign_in')) return this.#call(signIn, {});
    const { pause, waitsForServers } = this.#profile;
    const waiter = asked.tools.find(({ name }) => name === waitsForServers);
    if (waiter !== undefined && this.#pauses++ === 0) return this.#call(waiter, {});
    const shell = asked.tools.find(({ name }) => name === pause.tool);
    if (shell === undefined) return this.#end(`the model was offered no ${pause.tool}, but ${names(asked)}`);
    // Each of them another command, for the same reason.
    const seconds = this.#pauses++ < SHORT_PAUSES ? 0.2 : 1;
    return this.#call(shell, pause.input(`sleep ${seconds}; : ${this.#pauses}`));
  }

  #call(tool: OfferedTool, input: object): Turn {
    this.#calledLast = tool.name;
    this.ending = `the host left after the model called ${tool.name}`;
    this.#turn++;
    return { kind: 'call', id: `call_${this.mark.replaceAll(/\D/g, '')}_${this.#turn}`, tool, input };
  }

  #end(ending: string): Turn {
    this.ending = ending;
    return { kind: 'words', words: 'That is all.' };
  }

  #a(number: number): number {
    return this.#base + 10 * number;
  }

  #sum(number: number): string {
    return String(this.#a(number) + 1);
  }
}

function find(asked: Asked, name: RegExp): OfferedTool | undefined {
  return asked.tools.find((tool) => name.test(tool.name));
}

/** What there is of the server, and how much else. */
function names(asked: Asked): string {
  const own = asked.tools.filter(({ name, namespace }) => /world|sign_in/.test(`${namespace} ${name}`));
  return `${own.map(({ name }) => name).join(' ') || 'nothing of the server'}, ${asked.tools.length - own.length} tools of the host`;
}
