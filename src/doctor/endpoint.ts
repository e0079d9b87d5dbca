import { parseMessage } from '../protocol/jsonrpc.ts';
import { quote } from '../protocol/quote.ts';
import type { EndpointAnswer } from '../remote/http/challenge-probe.ts';
import { type Finding, failure, ok } from './check.ts';

type Endpoint = { readonly kind: 'known' | 'maybe-sse'; readonly finding: Finding };

/** What kind of server is at the address, by its response to a `ping` without a session and a token. */
export function classifyEndpoint(answer: EndpointAnswer, server: URL): Endpoint {
  const { status, contentType, location, body } = answer;
  const known = (finding: Finding): Endpoint => ({ kind: 'known', finding });
  if (status === 401) return known(ok('it wants a sign-in'));
  if (contentType === 'text/event-stream' && status === 200) return known(ok('an MCP server'));
  const message = parseMessage(body);
  // Servers with sessions answer a message without one with a JSON-RPC error, each under its own status.
  if (message.kind === 'response' || isErrorWithoutId(body)) return known(ok('an MCP server'));
  if (status >= 300 && status < 400) {
    const to =
      location === undefined || !URL.canParse(location, server.href) ? undefined : new URL(location, server);
    return known(
      failure(
        `the address redirects${to === undefined ? '' : ` to ${quote(to.href)}`}, and messages are not sent elsewhere`,
        to === undefined
          ? undefined
          : `If that is the server's new address, use it instead: ${quote(to.href)}`,
      ),
    );
  }
  if (status === 403) {
    return known(failure('the server requires a header, or does not serve this network (403)'));
  }
  if (contentType === 'text/html' && status !== 405) {
    const finding = failure(
      `a web page answers (status ${status}), not an MCP server`,
      `Check the path: many servers are at ${quote(new URL('/mcp', server).href)}.`,
    );
    return { kind: status === 404 ? 'maybe-sse' : 'known', finding };
  }
  if ([400, 404, 405, 406, 415, 501].includes(status)) {
    return {
      kind: 'maybe-sse',
      finding: failure(
        `no MCP server answers at this path (status ${status})`,
        'Check that the address is that of the MCP endpoint itself, with its path.',
      ),
    };
  }
  if (status >= 500) {
    return known(
      failure(`the server, or a gateway in front of it, has an internal error (status ${status})`),
    );
  }
  return known(
    failure(
      `the server answers with status ${status} and ${contentType || 'nothing'}, which is not an MCP message`,
    ),
  );
}

/** Many servers omit the id of such an error, or write null. */
function isErrorWithoutId(body: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof value === 'object' && value !== null && 'jsonrpc' in value && 'error' in value;
  } catch {
    return false;
  }
}
