import { type RawHost, startRawHost } from '../peers/hosts/raw-host.ts';
import { idKey, membersOf } from './json-text.ts';
import type { Scenario } from './scenario.ts';
import { MODERN } from './server/good-answers.ts';

/** A request of the host and what came back for it. */
export interface Asked {
  readonly id: string;
  readonly method: string;
  readonly atMs: number;
  /** Of a call: by this the server counts how often it ran. */
  readonly nonce?: string;
  readonly params: object;
  cancelledAtMs?: number;
  readonly answers: Answer[];
}

export interface Answer {
  readonly atMs: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server or the bridge said.
  readonly message: any;
}

const CLIENT = { name: 'chaos-host', version: '1.0.0' };
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: { listChanged: true } };
export const SUBSCRIPTION = 'subscriptions/listen';
const MAX_ROUNDS = 3;
const SHOWN_CHARACTERS = 300;

/** A well-behaved host of either era, which looks at bytes and never trusts a parser with an id. */
export class ChaosHost implements AsyncDisposable {
  readonly process: RawHost;
  /** By the key of the id. */
  readonly asked = new Map<string, Asked>();
  /** What must never come. */
  readonly faults: string[] = [];
  /** Both directions, shortened, for people. */
  readonly transcript: string[] = [];
  readonly #scenario: Scenario;
  #ids = 0;
  #rounds = 0;
  /** Questions whose answers are kept back. */
  readonly #withheld: [id: string, method: string][] = [];
  #isEnding = false;
  #partial: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    scenario: Scenario,
    program?: string,
  ) {
    this.#scenario = scenario;
    this.process = startRawHost(args, { env, ...(program === undefined ? {} : { program }) });
    this.process.child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    void this.process.exited.then(() => this.#wake());
  }

  get isGone(): boolean {
    return this.process.child.exitCode !== null || this.process.child.signalCode !== null;
  }

  get atMs(): number {
    return this.process.atMs;
  }

  nextId(): string {
    const at = this.#ids++;
    return this.#scenario.ids[at] ?? `"id-${at}"`;
  }

  initialize(): Asked {
    return this.#ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: CAPABILITIES,
      clientInfo: CLIENT,
    });
  }

  initialized(): void {
    this.#send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  }

  request(method: string, params: object = {}): Asked {
    return this.#ask(method, params);
  }

  call(tool: string, nonce: string): Asked {
    return this.#ask('tools/call', { name: tool, arguments: { nonce } }, nonce);
  }

  notify(method: string): void {
    this.#send(JSON.stringify({ jsonrpc: '2.0', method, params: {} }));
  }

  cancel(asked: Asked): void {
    asked.cancelledAtMs ??= this.atMs;
    const params = `{"requestId":${asked.id},"reason":"chaos"}`;
    this.#send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`);
  }

  /** Resolves when this holds, or when the time is over or the program gone; whether it holds then. */
  until(holds: () => boolean, ms: number): Promise<boolean> {
    if (holds() || this.isGone) return Promise.resolve(holds());
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(holds());
      };
      const timer = setTimeout(done, ms);
      const look = () => {
        if (holds() || this.isGone) done();
      };
      this.#watchers.add(look);
    });
  }

  /** Requests that are owed an answer. */
  get waiting(): Asked[] {
    return [...this.asked.values()].filter(
      ({ answers, cancelledAtMs, method }) =>
        answers.length === 0 && cancelledAtMs === undefined && method !== SUBSCRIPTION,
    );
  }

  /** Ends what only the host delays: questions get their answers, subscriptions are ended. */
  holdNothingUp(): void {
    this.#isEnding = true;
    for (const [id, method] of this.#withheld.splice(0)) this.#answer(id, method);
    for (const asked of this.asked.values()) {
      if (asked.method === SUBSCRIPTION && asked.answers.length === 0) this.cancel(asked);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.close();
  }

  #ask(method: string, params: object, nonce?: string): Asked {
    const id = this.nextId();
    const asked: Asked = {
      id,
      method,
      params,
      atMs: this.atMs,
      answers: [],
      ...(nonce === undefined ? {} : { nonce }),
    };
    this.asked.set(idKey(id), asked);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientInfo': CLIENT,
      'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
    };
    const whole = this.#scenario.host === 'modern' ? { ...params, _meta: meta } : params;
    this.#send(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${JSON.stringify(whole)}}`);
    return asked;
  }

  #send(line: string): void {
    this.#note('→', line);
    this.process.send(line);
  }

  #note(mark: string, line: string): void {
    const shown =
      line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}… (${line.length})` : line;
    this.transcript.push(`${Math.round(this.atMs)} ${mark} ${shown}`);
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#partial.push(chunk.subarray(start, end));
      this.#takeLine(Buffer.concat(this.#partial));
      this.#partial = [];
      start = end + 1;
    }
    if (start < chunk.length) this.#partial.push(chunk.subarray(start));
    this.#wake();
  }

  #takeLine(bytes: Buffer): void {
    const text = bytes.toString('utf8');
    this.#note('←', text);
    if (!Buffer.from(text, 'utf8').equals(bytes)) this.faults.push('not UTF-8 on stdout');
    let message: Answer['message'];
    try {
      message = JSON.parse(text);
    } catch {
      this.faults.push('not JSON on stdout');
      return;
    }
    if (typeof message !== 'object' || message === null || message.jsonrpc !== '2.0') {
      this.faults.push('no JSON-RPC message on stdout');
      return;
    }
    const members = membersOf(text);
    const id = members.get('id');
    if (typeof message.method === 'string') {
      if (id !== undefined) this.#answer(id, message.method);
    } else if (message.method !== undefined || !(members.has('result') || members.has('error'))) {
      this.faults.push('no JSON-RPC message on stdout');
    } else this.#takeAnswer(id ?? 'null', text, message);
  }

  #takeAnswer(id: string, text: string, message: Answer['message']): void {
    const asked = /^["\d-]/.test(id) ? this.asked.get(idKey(id)) : undefined;
    if (asked === undefined) {
      this.faults.push('an answer under an id that was not asked');
      return;
    }
    asked.answers.push({ atMs: this.atMs, text, message });
    if (asked.answers.length === 1) this.#goOn(asked, message);
  }

  /** A host of 2026 asks again with what the server wants to know. */
  #goOn({ method, params, nonce }: Asked, { result }: Answer['message']): void {
    if (this.#scenario.host !== 'modern' || result?.resultType !== 'input_required') return;
    if (this.#scenario.hostAnswers === 'late' || this.#rounds++ >= MAX_ROUNDS) return;
    const asked = typeof result.inputRequests === 'object' ? Object.keys(result.inputRequests ?? {}) : [];
    const inputResponses = Object.fromEntries(asked.map((key) => [key, { action: 'accept', content: {} }]));
    this.#ask(method, { ...params, inputResponses, requestState: result.requestState }, nonce);
  }

  #answer(id: string, method: string): void {
    const how = this.#scenario.hostAnswers;
    if (how === 'late' && method !== 'ping' && !this.#isEnding) {
      this.#withheld.push([id, method]);
      return;
    }
    const results: Record<string, object> = {
      'elicitation/create': { action: 'accept', content: {} },
      'sampling/createMessage': { role: 'assistant', content: { type: 'text', text: 'x' }, model: 'x' },
      'roots/list': { roots: [] },
      ping: {},
    };
    const result = how === 'with-error' ? undefined : results[method];
    const refusal = '"error":{"code":-32601,"message":"Method not found"}';
    const outcome = result === undefined ? refusal : `"result":${JSON.stringify(result)}`;
    this.#send(`{"jsonrpc":"2.0","id":${id},${outcome}}`);
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
