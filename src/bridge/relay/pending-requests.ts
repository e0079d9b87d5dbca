import { Stop } from '../../platform/stop.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { IdMap } from '../../protocol/message-id.ts';
import type { SendProgress, SessionHeaders } from '../../remote/http/message-options.ts';

/** What a request is made of. */
export type RequestMessage = Pick<PendingRequest, 'id' | 'method' | 'bytes' | 'params' | 'onResponse'>;

/** A request of the host (or of the bridge itself) that has no answer yet. */
export class PendingRequest implements SendProgress {
  readonly id: MessageId;
  readonly method: string;
  readonly bytes: Uint8Array | string;
  readonly params: unknown;
  /** For the bridge's own requests: where the answer goes instead of to the host. */
  readonly onResponse?: (message: unknown) => void;
  /** Ends everything that is done for it. */
  readonly stop = new Stop();
  /** The host no longer wants it. */
  cancelled = false;
  /** The server accepted it with 202: its answer can only come over the stream of this session. */
  acceptedIn: SessionHeaders | undefined;
  #mayHaveRun = false;
  #isSent = false;
  #whenSent: (() => void)[] = [];

  constructor({ id, method, bytes, params, onResponse }: RequestMessage) {
    this.id = id;
    this.method = method;
    this.bytes = bytes;
    this.params = params;
    if (onResponse !== undefined) this.onResponse = onResponse;
  }

  /** Whether its first byte may have left, and the server has not refused it since. */
  get mayHaveRun(): boolean {
    return this.#mayHaveRun;
  }

  /** Whether its last byte went out, or never will. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Calls back when its last byte went out, or when it never will; at once where that is so already. */
  whenSent(listener: () => void): void {
    if (this.#isSent) listener();
    else this.#whenSent.push(listener);
  }

  sending(): void {
    this.#mayHaveRun = true;
  }

  returned(): void {
    this.#mayHaveRun = false;
  }

  /** Its last byte went out, or never will. */
  sent(): void {
    if (this.#isSent) return;
    this.#isSent = true;
    for (const listener of this.#whenSent) listener();
    this.#whenSent = [];
  }
}

/** Whether the host waits for an answer to it. */
export function isOwed(request: PendingRequest): boolean {
  return !request.cancelled && request.onResponse === undefined;
}

/** Which ids wait for an answer: what makes "exactly one answer for each id" true. */
export class PendingRequests {
  readonly #open = new IdMap<PendingRequest>();
  #idle: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  get(id: MessageId): PendingRequest | undefined {
    return this.#open.get(id);
  }

  /** The request that is meant by this id of another message. */
  find(id: MessageId): PendingRequest | undefined {
    return this.#open.find(id);
  }

  /** Enters a request. Its id must not wait already (`get`). */
  add(request: PendingRequest): void {
    this.#open.set(request.id, request);
  }

  /** Takes a request out because its answer is about to be written; undefined when nothing waits for it. */
  settle(id: MessageId): PendingRequest | undefined {
    const entry = this.#open.find(id);
    if (entry === undefined) return undefined;
    this.#open.delete(entry.id);
    entry.sent();
    if (this.#idle !== undefined && !this.#owes()) this.#idle();
    return entry;
  }

  /** The host no longer wants it: it is owed no answer, but one that comes is still known to be of it. */
  cancel(request: PendingRequest): void {
    request.cancelled = true;
    if (!this.#owes()) this.#idle?.();
  }

  all(): PendingRequest[] {
    return this.#open.values();
  }

  /** Resolves when the host is owed no answer. */
  idle(): Promise<void> {
    if (!this.#owes()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #owes(): boolean {
    for (const request of this.#open.values()) {
      if (isOwed(request)) return true;
    }
    return false;
  }
}
