import type { PlanFile } from '../peers/faults/kill-plan.ts';
import type { Message, RawHost } from '../peers/hosts/raw-host.ts';

/** How a call of a host ended. */
export type CallEnd =
  | { readonly kind: 'served'; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly why: string }
  /** The program has ended with the call in flight. */
  | { readonly kind: 'gone' };

/** One bridge and its host. */
export class Instance {
  readonly number: number;
  readonly host: RawHost;
  readonly plan: PlanFile | undefined;
  #calls = 0;
  #isGreeted = false;

  constructor(number: number, host: RawHost, plan: PlanFile | undefined) {
    this.number = number;
    this.host = host;
    this.plan = plan;
  }

  get isGone(): boolean {
    return this.host.child.exitCode !== null || this.host.child.signalCode !== null;
  }

  /** A call, the handshake before it where there was none, and its answer or what became of it. */
  async call(timeoutMs = 50_000): Promise<CallEnd> {
    const startedAt = performance.now();
    const value = ++this.#calls;
    const exited = this.host.exited.then((): 'gone' => 'gone');
    const answered = async (): Promise<Message> => {
      if (!this.#isGreeted) {
        const initializeAnswer = await this.host.initialize({}, { timeoutMs });
        if (initializeAnswer.error !== undefined) return initializeAnswer;
        this.#isGreeted = true;
      }
      return this.host.request('tools/call', { name: 'echo', arguments: { value } }, { timeoutMs });
    };
    const answer = answered().catch(
      (error: Error): Message => ({ error: { code: 0, message: error.message } }),
    );
    const ended = await Promise.race([answer, exited]);
    if (ended === 'gone') return { kind: 'gone' };
    const [content] = (ended.result as { content?: { text?: string }[] } | undefined)?.content ?? [];
    if (content?.text === String(value)) return { kind: 'served', tookMs: performance.now() - startedAt };
    return { kind: 'failed', why: (ended.error?.message ?? JSON.stringify(ended.result)).slice(0, 300) };
  }

  /** It dies in place of its `at`-th counted call from now. */
  async rearm(at: number): Promise<void> {
    const from = this.host.stderr.length;
    await this.plan?.rearm(at);
    const armed = new Promise<void>((resolve) => {
      const look = () => {
        if (!this.host.stderr.slice(from).includes('@armed')) return;
        this.host.child.stderr.off('data', look);
        resolve();
      };
      this.host.child.stderr.on('data', look);
    });
    this.host.kill('SIGUSR2');
    await Promise.race([armed, this.host.exited]);
  }
}
