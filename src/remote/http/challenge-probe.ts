import { anySignal, type StopSignal } from '../../platform/stop.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { McpOrigin } from './mcp-origin.ts';
import { readRefusal } from './refusal-body.ts';

/** As long as metadata may take; what is behind it works without a challenge too. */
const PROBE_LIMIT_MS = 10_000;
/** Answered by what guards the server, before any session: no session is opened, whatever the server makes of it. */
const PING = '{"jsonrpc":"2.0","id":0,"method":"ping"}';

/** The server's challenge to a request without a token (RFC 9728 §5.1): where its metadata is, and which scope it wants. */
export async function probeChallenge(
  origin: McpOrigin,
  url: URL,
  signal: StopSignal,
): Promise<BearerChallenge | undefined> {
  const limit = anySignal([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]);
  const message = {
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: PING,
  };
  const options = { session: {}, bearer: undefined, signal: limit } as const;
  const { response } = await origin.exchange('POST', url, options, message);
  if (response.status !== 401) {
    response.discard();
    return undefined;
  }
  return (await readRefusal(response)).wwwAuthenticate;
}
