import { HttpError } from '../../platform/http/http.ts';
import { parseMessage } from '../../protocol/jsonrpc.ts';
import { isModernErrorCode } from '../../protocol/revisions.ts';
import type { CachedServer, ServerCache } from '../../protocol/server-cache.ts';
import { BadAnswerError } from '../http/errors.ts';
import type { MessageOptions } from '../http/message-options.ts';
import { excerpt, type Refusal, rpcErrorIn, UNKNOWN_MESSAGE_STATUSES } from '../http/refusal.ts';
import type { DropConnectionsOptions, ListenOptions, Reply, Transport } from './transport.ts';

export type TransportKind = NonNullable<CachedServer['transport']>;

export interface AutoTransportOptions {
  readonly http: Transport;
  /** Loaded on first use. */
  readonly loadSse: () => Promise<Transport>;
  /** The transport that a start tries first, whatever was found before. */
  readonly first?: TransportKind;
  readonly memory: ServerCache;
}

type Attempt =
  | { readonly kind: 'spoken'; readonly reply: Reply }
  /** The server does not speak this transport, as far as this answer tells. */
  | { readonly kind: 'not-spoken'; readonly refusal: Refusal }
  | { readonly kind: 'not-spoken'; readonly error: BadAnswerError };

/**
 * Finds out which transport the server speaks, by the host's own `initialize`: it goes out by the one, and when the server's answer says that it
 * does not speak that, by the other. No probe; what was found is kept for the next start.
 */
export class AutoTransport implements Transport {
  readonly #options: AutoTransportOptions;
  #sse: Transport | undefined;
  #active: Transport;
  #found: TransportKind | undefined;

  constructor(options: AutoTransportOptions) {
    this.#options = options;
    this.#active = options.http;
  }

  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const opens = options.session.sessionId === undefined && isInitialize(body);
    return opens ? this.#open(body, options) : this.#active.post(body, options);
  }

  async #open(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    const { first: wanted, memory } = this.#options;
    const first = this.#found ?? wanted ?? (await memory.read()).transport ?? 'http';
    const second = first === 'http' ? 'sse' : 'http';
    const one = await this.#attempt(first, body, options);
    if (one.kind === 'spoken') return one.reply;
    const other = await this.#attempt(second, body, options);
    if (other.kind === 'spoken') return other.reply;
    // Both failed: the first one was expected to work, so its error is reported.
    this.#found = undefined;
    if ('error' in one) throw one.error;
    return { kind: 'refused', refusal: { ...one.refusal, alsoTried: described(second, other) } };
  }

  listen(options: ListenOptions): Promise<Reply> {
    return this.#active.listen(options);
  }

  end(options: MessageOptions): Promise<number> {
    return this.#active.end(options);
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#active.dropIdleConnections(options);
  }

  async #attempt(kind: TransportKind, body: Uint8Array | string, options: MessageOptions): Promise<Attempt> {
    const transport = kind === 'http' ? this.#options.http : await this.#loadSse();
    try {
      const reply = await transport.post(body, options);
      if (reply.kind === 'refused' && suggestsOther(reply.refusal)) {
        return { kind: 'not-spoken', refusal: reply.refusal };
      }
      // A 401 or a 503 says nothing about the transport: only an answer does.
      if (reply.kind !== 'refused') this.#settle(kind, transport);
      return { kind: 'spoken', reply };
    } catch (error) {
      if (kind === 'sse' && error instanceof BadAnswerError) return { kind: 'not-spoken', error };
      if (kind === 'sse' && error instanceof HttpError && error.code === 'timeout' && error.sent) {
        return { kind: 'not-spoken', error: new BadAnswerError(error.message, { cause: error }) };
      }
      throw error;
    }
  }

  #settle(kind: TransportKind, transport: Transport): void {
    this.#active = transport;
    if (this.#found !== kind) this.#options.memory.update({ transport: kind });
    this.#found = kind;
  }

  async #loadSse(): Promise<Transport> {
    this.#sse ??= await this.#options.loadSse();
    return this.#sse;
  }
}

/** Servers without sessions get here with every message: most are told by their bytes, without reading them once more. */
function isInitialize(body: Uint8Array | string): boolean {
  const bytes = typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.includes('"initialize"')) return false;
  const message = parseMessage(body);
  return message.kind === 'request' && message.method === 'initialize';
}

export function suggestsOther({ status, body }: Refusal): boolean {
  if (!UNKNOWN_MESSAGE_STATUSES.has(status)) return false;
  return !isModernErrorCode(rpcErrorIn(body)?.code);
}

function described(kind: TransportKind, attempt: Exclude<Attempt, { kind: 'spoken' }>): string {
  const name = kind === 'sse' ? 'HTTP+SSE' : 'Streamable HTTP';
  if ('error' in attempt) return `${name} was tried too: ${attempt.error.message}`;
  const { status, body } = attempt.refusal;
  const words = excerpt(body);
  return `${name} was tried too: status ${status}${words === '' ? '' : ` and ${words}`}`;
}
