import type { MessageId } from '../protocol/envelope.ts';

/** A request of the host (or of the bridge itself) that has no answer yet. */
export interface OpenRequest {
  readonly id: MessageId;
  readonly method: string;
  readonly bytes: Uint8Array | string;
  readonly params: unknown;
  /** Ends everything that is done for it. */
  readonly stop: AbortController;
  /** The host no longer wants it. */
  cancelled: boolean;
  /** The first byte of it may have left. */
  mayHaveRun: boolean;
  /** Resolves when its last byte went out, or when it never will. */
  readonly sent: Promise<void>;
  readonly markSent: () => void;
  /** For the bridge's own requests: where the answer goes instead of to the host. */
  readonly answerHere?: (message: unknown) => void;
}

/**
 * Which ids wait for an answer: what makes "exactly one answer for each id" true. Ids are compared with their type: `1` and `"1"` are two
 * (JSON-RPC 2.0 §4).
 */
export class RequestTable {
  readonly #open = new Map<MessageId, OpenRequest>();
  #idle: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  get(id: MessageId): OpenRequest | undefined {
    return this.#open.get(id);
  }

  /** Enters a request; undefined when that id already waits. */
  add(
    request: Pick<OpenRequest, 'id' | 'method' | 'bytes' | 'params' | 'answerHere'>,
  ): OpenRequest | undefined {
    if (this.#open.has(request.id)) return undefined;
    let markSent = () => {};
    const sent = new Promise<void>((resolve) => {
      markSent = resolve;
    });
    const entry = {
      ...request,
      stop: new AbortController(),
      cancelled: false,
      mayHaveRun: false,
      sent,
      markSent,
    };
    this.#open.set(request.id, entry);
    return entry;
  }

  /** Takes a request out because its answer is about to be written; undefined when nothing waits for it. */
  take(id: MessageId): OpenRequest | undefined {
    const entry = this.#open.get(id);
    if (entry === undefined) return undefined;
    this.#open.delete(id);
    entry.markSent();
    if (this.#open.size === 0) this.#idle?.();
    return entry;
  }

  all(): OpenRequest[] {
    return [...this.#open.values()];
  }

  /** Resolves when nothing waits for an answer. */
  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
