import { mediaType } from '../../platform/content/content.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import type { AccessToken } from '../../protocol/access-token.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { McpOrigin } from './mcp-origin.ts';
import { UNKNOWN_MESSAGE_STATUSES } from './refusal.ts';
import { readRefusal } from './refusal-body.ts';

/** As long as metadata may take; the steps after it work without a challenge too. */
const PROBE_LIMIT_MS = 10_000;
/** Answered by the server's access control, before any session: no session is opened, whatever the server does with it. */
const PING = '{"jsonrpc":"2.0","id":0,"method":"ping"}';

/** The response of the server's address. */
export interface EndpointAnswer {
  readonly status: number;
  /** Without parameters, in lower case. */
  readonly contentType: string;
  readonly challenge: BearerChallenge | undefined;
  readonly location: string | undefined;
  readonly date: string | undefined;
  /** The start of the body; of an event stream, nothing. */
  readonly body: Uint8Array;
}

/**
 * The response to a `ping` by POST, or to a GET for an event stream, with the token `bearer` if one is given. Rejects with a DrawbridgeError, or with the
 * signal's reason: the caller limits the time.
 */
export async function probeEndpoint(
  origin: McpOrigin,
  url: URL,
  method: 'POST' | 'GET',
  signal: StopSignal,
  bearer?: AccessToken,
): Promise<EndpointAnswer> {
  const message =
    method === 'GET'
      ? { headers: { accept: 'text/event-stream' } }
      : {
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: PING,
        };
  const options = { session: {}, bearer, signal } as const;
  const { response } = await origin.exchange(method, url, options, message);
  const { status, headers } = response;
  const contentType = mediaType(headers['content-type']);
  const seen = { status, contentType, location: headers.location, date: headers.date };
  if (contentType === 'text/event-stream') {
    response.discard();
    return { ...seen, challenge: undefined, body: new Uint8Array() };
  }
  const { wwwAuthenticate, body } = await readRefusal(response);
  return { ...seen, challenge: wwwAuthenticate, body };
}

/** The server's challenge to a request without a token (RFC 9728 §5.1): where its metadata is, and which scope it wants. */
export async function probeChallenge(
  origin: McpOrigin,
  url: URL,
  signal: StopSignal,
): Promise<BearerChallenge | undefined> {
  const limit = anySignal([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]);
  const { status, challenge } = await probeEndpoint(origin, url, 'POST', limit);
  return status === 401 ? challenge : undefined;
}

/**
 * The challenge with which the server refuses the token (RFC 6750 §3); undefined if it accepts it. A 401 without a challenge may be about something else. Rejects
 * like `probeEndpoint`.
 */
export async function probeToken(
  origin: McpOrigin,
  url: URL,
  token: AccessToken,
  signal: StopSignal,
): Promise<BearerChallenge | undefined> {
  const limit = anySignal([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]);
  const posted = await probeEndpoint(origin, url, 'POST', limit, token);
  // HTTP+SSE servers know no POST at this address.
  const { status, challenge } = UNKNOWN_MESSAGE_STATUSES.has(posted.status)
    ? await probeEndpoint(origin, url, 'GET', limit, token)
    : posted;
  return status === 401 ? challenge : undefined;
}
