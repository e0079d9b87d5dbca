import { DrawbridgeError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { slept } from '../../platform/clock-jump.ts';
import { type Http, HttpError, type HttpHeaders, type HttpResponse } from '../../platform/http/http.ts';
import { quote } from '../../protocol/quote.ts';
import { LEGACY_VERSION } from '../../protocol/revisions.ts';
import { DiscoveryError } from '../errors/oauth-errors.ts';
import { type AddressGuard, createAddressGuard } from './address-policy.ts';
import { readText } from './response-body.ts';
import { withTimeLimit } from './time-limit.ts';
import { checkDiscoveredUrl, type UrlPolicy } from './url-policy.ts';

/** .github/SECURITY.md, attack 15: real documents have some 5 KiB; measured after decompression. */
export const MAX_ANSWER_BYTES = 256 * 1024;
/** .github/SECURITY.md, attack 15: a metadata document with its redirects, to the last byte. */
const METADATA_LIMIT_MS = 10_000;
/** src/README.md, "A refresh", step 5: authorization servers that have to start first take half of it. */
const POST_LIMIT_MS = 30_000;
/** .github/SECURITY.md, attack 13. */
const MAX_REDIRECTS = 3;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

export interface GuardedAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly text: string;
  /** When the headers arrived, by the wall clock. */
  readonly receivedAt: number;
  /** It comes from another address than the requested one. */
  readonly redirected?: true;
}

export interface GuardedPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal?: AbortSignal | undefined;
}

/** The only way to a discovered address. It uses no cookies, and sends the user's headers only to the server's origin. */
export interface GuardedFetch {
  readonly policy: UrlPolicy;
  /** A metadata document; redirects only within its origin. Rejects with a DrawbridgeError. */
  get(url: URL, signal?: AbortSignal): Promise<GuardedAnswer>;
  /** A redirect is a response like any other and never followed: the body contains secrets. Rejects with PostError. */
  post(request: GuardedPost): Promise<GuardedAnswer>;
}

/** Why a POST has no response (the cause), and whether it may have reached the server. */
export class PostError extends Error {
  readonly sent: boolean;

  constructor(cause: DrawbridgeError, sent: boolean) {
    super(cause.message, { cause });
    this.name = 'PostError';
    this.sent = sent;
  }
}

export interface GuardedFetchOptions {
  /** Created with this guard's `allow`, so that names are judged by their resolved addresses when connecting. */
  readonly http: Http;
  readonly addresses: AddressGuard;
  readonly server: URL;
  /**
   * The user's own headers. A gateway may require them for the server's metadata as for its messages; no one else sees them (.github/SECURITY.md, attack 14).
   */
  readonly headers?: UserHeaders | undefined;
  readonly allowHttp: boolean;
  readonly clock: Clock;
}

export type UserHeaders = readonly (readonly [name: string, value: string])[];

/** `identity`, since a document is smaller than the round trip; a compressed response is decompressed up to the limit. */
const COMMON_HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'user-agent': 'mcp-drawbridge',
};
/** MCP 2025-03-26 requires the version on metadata requests, and later revisions allow it. */
const METADATA_HEADERS = { ...COMMON_HEADERS, 'mcp-protocol-version': LEGACY_VERSION };

/** Connections that ask the guard before connecting to a resolved address. */
export type CreateGuardedHttp = (allowAddress: AddressGuard['allow']) => Promise<Http>;

export interface GuardedFetchAccess extends Omit<GuardedFetchOptions, 'http' | 'addresses'> {
  readonly createHttp: CreateGuardedHttp;
}

/**
 * Runs with a guarded fetch on separate connections, which end with the run: rare requests are not worth keeping any. The run does not wait for them to close,
 * so that nothing delays writing the response to disk.
 */
export async function withGuardedFetch<T>(
  { createHttp, ...options }: GuardedFetchAccess,
  run: (fetch: GuardedFetch) => Promise<T>,
): Promise<T> {
  const addresses = createAddressGuard(options.server);
  const http = await createHttp(addresses.allow);
  try {
    return await run(createGuardedFetch({ ...options, http, addresses }));
  } finally {
    http.close().catch(ignore);
  }
}

function ignore(): void {}

export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { http, clock, server, allowHttp, addresses, headers: userHeaders = [] } = options;
  const toServer = { ...METADATA_HEADERS, ...ofUser(userHeaders) };
  const policy: UrlPolicy = { server, allowHttp, addresses };

  const answer = async (response: HttpResponse): Promise<GuardedAnswer> => {
    const { status, headers } = response;
    const receivedAt = clock.now();
    return { status, headers, receivedAt, text: await readText(response, MAX_ANSWER_BYTES) };
  };

  return {
    policy,
    get: (url, signal) =>
      withTimeLimit({ ms: METADATA_LIMIT_MS, what: quote(url.href), signal, clock }, async (limit) => {
        let at = url;
        for (let redirects = 0; ; redirects++) {
          const headers = at.origin === server.origin ? toServer : METADATA_HEADERS;
          const request = { method: 'GET', url: at, headers, signal: limit } as const;
          const response = await http.request(request);
          const location = REDIRECT_STATUSES.has(response.status) ? response.headers.location : undefined;
          if (location === undefined) {
            return { ...(await answer(response)), ...(redirects === 0 ? {} : { redirected: true }) };
          }
          response.discard();
          if (redirects === MAX_REDIRECTS) throw new DiscoveryError(`${quote(url.href)} redirects too often`);
          at = redirectTarget(at, location, policy);
        }
      }),
    post: async ({ url, headers, body, signal }) => {
      let isSent = false;
      const progress = {
        sent: () => {
          isSent = true;
        },
      };
      const moment = () => ({ wall: clock.now(), monotonic: clock.monotonic() });
      const from = moment();
      // Timers of a process that was suspended fire after what its sockets have waiting: it would send a refresh token that others have used meanwhile.
      const mayStart = () => {
        const now = moment();
        return now.monotonic - from.monotonic < POST_LIMIT_MS && !slept(from, now);
      };
      try {
        return await withTimeLimit(
          { ms: POST_LIMIT_MS, what: quote(url.href), signal, clock },
          async (limit) => {
            const all = { ...COMMON_HEADERS, ...headers };
            const post = { method: 'POST', url, headers: all, body, signal: limit } as const;
            return answer(await http.request({ ...post, mayStart, neverLate: true, progress }));
          },
        );
      } catch (error) {
        if (error instanceof HttpError) throw new PostError(error, error.sent);
        if (error instanceof DrawbridgeError) throw new PostError(error, isSent);
        throw error;
      }
    },
  };
}

function ofUser(headers: UserHeaders): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
}

/** .github/SECURITY.md, attack 13: the path may change, the origin may not. */
function redirectTarget(from: URL, location: string, policy: UrlPolicy): URL {
  if (!URL.canParse(location, from.href)) {
    throw new DiscoveryError(`${quote(from.href)} redirects to ${quote(location)}, which is not a URL`);
  }
  const target = new URL(location, from);
  if (target.origin !== from.origin) {
    throw new DiscoveryError(`${quote(from.href)} redirects to another origin, ${quote(target.origin)}`);
  }
  target.hash = '';
  return checkDiscoveredUrl(target.href, 'the redirect', policy);
}
