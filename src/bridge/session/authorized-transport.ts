import type { Authorization, Bearer } from '../../auth/authorization.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import { NO_RECOVERIES, nextRecovery } from '../../remote/http/recovery.ts';
import { withinTimeLimit } from '../../remote/http/time-limit.ts';
import type {
  DropConnectionsOptions,
  ListenOptions,
  Reply,
  Transport,
} from '../../remote/transport/transport.ts';

export interface AuthorizedTransportOptions {
  /** Sends a message with the given bearer. */
  readonly transport: Transport;
  readonly authorization: Authorization;
  readonly clock: Clock;
}

/**
 * The only place that knows the token. It adds the bearer to each message, tells the authorization that the server accepted it, and answers a
 * 401 (RFC 6750 §3.1) with another token and a 403 for insufficient scope with a step-up (specification 2025-11-25, Authorization → Step-Up).
 * Where that takes a person, the reply has the kind `sign-in`: how long a message waits for a person is the sender's affair.
 */
export class AuthorizedTransport implements Transport {
  readonly #options: AuthorizedTransportOptions;

  constructor(options: AuthorizedTransportOptions) {
    this.#options = options;
  }

  /** Rejects as the transport does. A token that could not be obtained leads to a reply: the message was not sent. */
  post(body: Uint8Array | string, options: MessageOptions): Promise<Reply> {
    return this.#authorized(options, body);
  }

  listen(options: ListenOptions): Promise<Reply> {
    return this.#authorized(options, undefined);
  }

  /** Rejects with a DrawbridgeError if no token could be obtained; else as the transport does. */
  async end(options: MessageOptions): Promise<number> {
    const { transport, authorization } = this.#options;
    const bearer = await authorization.current(options.signal);
    return transport.end({ ...options, bearer });
  }

  dropIdleConnections(options?: DropConnectionsOptions): void {
    this.#options.transport.dropIdleConnections(options);
  }

  /** Sends the body, or listens if there is none. */
  async #authorized(options: ListenOptions, body: Uint8Array | string | undefined): Promise<Reply> {
    const { authorization } = this.#options;
    const { signal, progress, mayRecover = true } = options;
    let counts = options.recovered ?? NO_RECOVERIES;
    let bearer: Bearer | undefined;
    try {
      const current = authorization.current(signal);
      bearer = current instanceof Promise ? await current : current;
    } catch (error) {
      return noToken(error, options);
    }
    for (;;) {
      progress?.sending();
      const reply = await this.#send(body, withBearer(options, bearer));
      const refusal = reply.kind === 'refused' ? reply.refusal : undefined;
      if (bearer !== undefined && refusal?.status !== 401) authorization.worked?.(bearer);
      const next = refusal === undefined || !mayRecover ? undefined : nextRecovery(refusal, counts);
      if (refusal === undefined || next === undefined) return reply;
      counts = next;
      progress?.returned();
      try {
        const recovery = await authorization.recover(bearer, refusal.wwwAuthenticate, signal);
        if (recovery.kind === 'sign-in') {
          return { kind: 'sign-in', signIn: recovery.signIn, recovered: counts };
        }
        bearer = recovery.bearer;
      } catch (error) {
        return noToken(error, options);
      }
    }
  }

  #send(body: Uint8Array | string | undefined, options: ListenOptions): Promise<Reply> {
    const { transport, clock } = this.#options;
    const { limit, signal } = options;
    if (limit !== undefined) {
      return withinTimeLimit({ ...limit, clock, signal }, (within) =>
        this.#send(body, { ...options, signal: within, limit: undefined }),
      );
    }
    return body === undefined ? transport.listen(options) : transport.post(body, options);
  }
}

type Complete<T> = { readonly [K in keyof Required<T>]: T[K] };

/** The options with a bearer. They are written out, since a spread takes a fifth of what the bridge itself does for a message; the type misses none. */
function withBearer(options: ListenOptions, bearer: Bearer | undefined): Complete<ListenOptions> {
  return {
    session: options.session,
    signal: options.signal,
    headers: options.headers,
    progress: options.progress,
    headersTimeoutMs: options.headersTimeoutMs,
    limit: options.limit,
    beforeBody: options.beforeBody,
    mayRecover: options.mayRecover,
    recovered: options.recovered,
    bearer,
    lastEventId: options.lastEventId,
  };
}

function noToken(error: unknown, { signal }: MessageOptions): Reply {
  if (signal.aborted) throw signal.reason;
  if (!(error instanceof DrawbridgeError)) throw error;
  return { kind: 'no-token', error };
}
