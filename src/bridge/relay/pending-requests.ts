import { Stop } from '../../platform/stop.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { IdMap } from '../../protocol/message-id.ts';
import type { SendProgress, SessionHeaders } from '../../remote/http/message-options.ts';
import type { WaitBudget } from '../timing/wait-budget.ts';

/** The parts of a request. */
export type RequestMessage = Pick<PendingRequest, 'id' | 'method' | 'bytes' | 'params' | 'onResponse'>;

/** A request of the host (or of the bridge itself) that has no answer yet. */
export class PendingRequest implements SendProgress {
  readonly id: MessageId;
  readonly method: string;
  readonly bytes: Uint8Array | string;
  readonly params: unknown;
  /** For the bridge's own requests: called with the answer, which is then not sent to the host. */
  readonly onResponse?: (message: unknown) => void;
  /** Aborts all work for it. */
  readonly stop = new Stop();
  /** The host has cancelled it. */
  cancelled = false;
  /** The server accepted it with 202: its answer can only come over the stream of this session. */
  acceptedIn: SessionHeaders | undefined;
  /** The time that it may wait for a server that is not ready. */
  waitBudget: WaitBudget | undefined;
  /** It has its answer, or is owed none any more. */
  isSettled = false;
  #mayHaveRun = false;
  #isSent = false;

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

  sending(): void {
    this.#mayHaveRun = true;
  }

  returned(): void {
    this.#mayHaveRun = false;
  }

  /** Its last byte went out, or never will. */
  sent(): void {
    this.#isSent = true;
  }
}

/** Whether the host waits for an answer to it. */
export function isOwed(request: PendingRequest): boolean {
  return !request.cancelled && request.onResponse === undefined;
}

/** The requests that wait for an answer. A request is settled once, so each id gets exactly one answer. */
export class PendingRequests {
  readonly #open = new IdMap<PendingRequest>();
  #idle: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  get(id: MessageId): PendingRequest | undefined {
    return this.#open.get(id);
  }

  /** The request to which this id of another message refers. */
  find(id: MessageId): PendingRequest | undefined {
    return this.#open.find(id);
  }

  /** Adds a request. Its id must not be pending (`get`). */
  add(request: PendingRequest): void {
    this.#open.set(request.id, request);
  }

  /** Removes a request because its answer is about to be written; undefined when no request with this id waits. */
  settle(id: MessageId): PendingRequest | undefined {
    const entry = this.#open.find(id);
    if (entry === undefined) return undefined;
    this.#open.delete(entry.id);
    entry.isSettled = true;
    entry.sent();
    if (this.#idle !== undefined && !this.#owesAnswers()) this.#idle();
    return entry;
  }

  /** The host cancelled the request. No answer is owed any more, but an answer that still comes is recognized. */
  cancel(request: PendingRequest): void {
    request.cancelled = true;
    if (!this.#owesAnswers()) this.#idle?.();
  }

  all(): PendingRequest[] {
    return this.#open.values();
  }

  /** Resolves when the host is owed no answer. */
  idle(): Promise<void> {
    if (!this.#owesAnswers()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #owesAnswers(): boolean {
    for (const request of this.#open.values()) {
      if (isOwed(request)) return true;
    }
    return false;
  }
}

/** Bytes of the host's requests that have not been sent yet. A host that floods is slowed by them (MAX_UNSENT_BYTES). */
export class UnsentBytes {
  #count = 0;
  #onRemoved: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  add(bytes: number): void {
    this.#count += bytes;
  }

  remove(bytes: number): void {
    this.#count -= bytes;
    this.#onRemoved?.();
    this.#onRemoved = undefined;
  }

  /** Resolves when a request has been sent, or never will be. */
  removed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRemoved = resolve;
    });
  }
}
