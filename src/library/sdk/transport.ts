import { UNKNOWN_MESSAGE_STATUSES } from '../../remote/http/refusal.ts';
import type { TransportClass } from '../interface/transport-interface.ts';
import type { Address, Fetch } from '../interface/web-types.ts';

/** The used part of the SDK's transport. */
interface Transport {
  start(): Promise<void>;
  send(message: unknown, options?: unknown): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined;
  readonly sessionId?: string | undefined;
  readonly hasPerRequestStream?: boolean;
  setProtocolVersion?(version: string): void;
  setSupportedProtocolVersions?(versions: string[]): void;
}

export interface FallbackTransportDeps {
  readonly url: Address;
  readonly sdk: {
    readonly StreamableHTTPClientTransport: TransportClass<Transport>;
    readonly SSEClientTransport?: TransportClass<Transport> | undefined;
  };
  readonly kind: 'auto' | 'http' | 'sse' | 'sse-first';
  readonly fetch: Fetch;
  readonly closeLogin: () => Promise<void>;
}

/**
 * Tries the SDK's transports one after the other, until the server has accepted a message: Streamable HTTP and, if its response shows that the server does not
 * support it, HTTP+SSE (specification 2025-11-25, Transports → Backwards Compatibility).
 */
export class FallbackTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined;
  readonly #deps: FallbackTransportDeps;
  #inner: Transport;
  /** The next transport, if the server does not support the current one. */
  #other: TransportClass<Transport> | undefined;
  /** The status of the last unsuccessful response. */
  #refused: number | undefined;
  #versions: string[] | undefined;

  constructor(deps: FallbackTransportDeps) {
    this.#deps = deps;
    const { StreamableHTTPClientTransport: http, SSEClientTransport: sse = http } = deps.sdk;
    const order = { auto: [http, sse], http: [http], sse: [sse], 'sse-first': [sse, http] } as const;
    const [first, second] = order[deps.kind];
    this.#other = second === first ? undefined : second;
    this.#inner = this.#make(first);
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  get hasPerRequestStream(): boolean {
    return this.#inner.hasPerRequestStream ?? false;
  }

  start(): Promise<void> {
    return this.#withFallback(() => this.#inner.start());
  }

  async send(message: unknown, options?: unknown): Promise<void> {
    await this.#withFallback(() => this.#inner.send(message, options));
    this.#other = undefined;
  }

  async close(): Promise<void> {
    await this.#inner.close();
    await this.#deps.closeLogin();
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion?.(version);
  }

  setSupportedProtocolVersions(versions: string[]): void {
    this.#versions = versions;
    this.#inner.setSupportedProtocolVersions?.(versions);
  }

  async #withFallback(act: () => Promise<void>): Promise<void> {
    this.#refused = undefined;
    try {
      await act();
    } catch (error) {
      const other = this.#other;
      const isUnknown = this.#refused !== undefined && UNKNOWN_MESSAGE_STATUSES.has(this.#refused);
      if (other === undefined || !isUnknown) throw error;
      this.#other = undefined;
      const former = this.#inner;
      for (const handler of ['onclose', 'onerror', 'onmessage'] as const) former[handler] = undefined;
      await former.close();
      this.#inner = this.#make(other);
      await this.#inner.start();
      await act();
    }
  }

  #make(Class: TransportClass<Transport>): Transport {
    const { url, fetch } = this.#deps;
    const noted: Fetch = async (...request) => {
      const response = await fetch(...request);
      if (!response.ok) this.#refused = response.status;
      return response;
    };
    const inner = new Class(url, { fetch: noted });
    inner.onclose = () => this.onclose?.();
    inner.onmessage = (message, extra) => this.onmessage?.(message, extra);
    // The program does not see the error that leads to the other transport.
    inner.onerror = (error) => {
      if (this.#other === undefined) this.onerror?.(error);
    };
    if (this.#versions !== undefined) inner.setSupportedProtocolVersions?.(this.#versions);
    return inner;
  }
}
