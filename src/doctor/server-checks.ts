import { type CheckId, describeError } from '../errors.ts';
import { HttpError } from '../platform/http/http.ts';
import { isLoopback } from '../platform/http/loopback.ts';
import { CONNECTION_HINTS, NAME_HINTS } from '../platform/network-hints.ts';
import { quote } from '../protocol/quote.ts';
import type { BearerChallenge } from '../protocol/www-authenticate.ts';
import type { EndpointAnswer } from '../remote/http/challenge-probe.ts';
import { type Check, type Finding, failure, failureOf, ok, skipped, warning } from './check.ts';
import { classifyEndpoint } from './endpoint.ts';

/** Reaches the server without a login and without opening a session. */
export interface ServerProbe {
  /** One `ping` by POST. Rejects with a DrawbridgeError. */
  ping(signal: AbortSignal): Promise<EndpointAnswer>;
  /** One GET for an event stream, as HTTP+SSE servers require. Rejects with a DrawbridgeError. */
  get(signal: AbortSignal): Promise<EndpointAnswer>;
}

export interface ServerCheckDeps {
  readonly server: URL;
  readonly probe: ServerProbe;
  /** The requests go through a proxy from the environment. */
  readonly isProxied: boolean;
  /** The user's own header or MCP_DRAWBRIDGE_TOKEN authorizes; there is no sign-in. */
  readonly isAuthorized: boolean;
  readonly now: () => number;
}

const BUSY = 'Check that the server is not overloaded, and that the path is that of the MCP endpoint.';
const SILENCE =
  'A firewall may be in the way: try from another network, or through the proxy of this one (HTTPS_PROXY).';

/** Larger differences make tokens and signed proofs seem to come from the future (RFC 9449 §11.1). Milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Checks the path to the server, the server's response and its challenge. One request serves all of these. */
export function serverChecks(deps: ServerCheckDeps): {
  readonly checks: readonly Check[];
  /** The received challenge; rejects as the request did. */
  readonly challenge: (signal: AbortSignal) => Promise<BearerChallenge | undefined>;
  readonly asksForSignIn: (signal: AbortSignal) => Promise<boolean>;
  /** Whether the configured header is refused. */
  readonly isRefused: (signal: AbortSignal) => Promise<boolean>;
} {
  const { server, probe, isProxied } = deps;
  let asked: Promise<EndpointAnswer> | undefined;
  const answer = (signal: AbortSignal) => {
    asked ??= probe.ping(signal);
    return asked;
  };
  const fault = async (signal: AbortSignal): Promise<HttpError | undefined> => {
    try {
      await answer(signal);
      return undefined;
    } catch (error) {
      if (error instanceof HttpError) return error;
      throw error;
    }
  };
  const host = quote(server.host);
  const check = (id: CheckId, needs: readonly CheckId[], run: Check['run']): Check => ({ id, needs, run });
  const checks = [
    check('dns', [], async (signal) => {
      if (isProxied) return skipped('the proxy looks the name up');
      const wayOut = NAME_HINTS.get((await fault(signal))?.system ?? '');
      return wayOut === undefined ? ok(`${host} has an address`) : failure(`${host} has no address`, wayOut);
    }),
    check('proxy', [], async (signal) => {
      if (!isProxied) return ok('none is in the way');
      const error = await fault(signal);
      if (error === undefined || error.code === 'tls' || isSilent(error)) return ok('it leads to the server');
      return failure(
        `${describeError(error)}; the way leads through the proxy of HTTP_PROXY or HTTPS_PROXY`,
        'Check the address, name and password of the proxy, or name the server in NO_PROXY.',
      );
    }),
    check('tcp', ['proxy'], async (signal) => {
      const error = await fault(signal);
      if (error === undefined || error.code === 'tls' || isSilent(error))
        return ok(`${host} accepts connections`);
      if (NAME_HINTS.has(error.system ?? '')) return skipped('because dns failed');
      return failure(describeError(error), error.hint ?? CONNECTION_HINTS.get(error.system ?? '') ?? SILENCE);
    }),
    check('tls', ['tcp'], async (signal) => {
      if (server.protocol === 'http:') {
        return isLoopback(server)
          ? ok('plain http, which stays on this machine')
          : warning('plain http: everyone between here and the server can read the tokens', 'Use https.');
      }
      const error = await fault(signal);
      return error?.code === 'tls' ? failureOf(error) : ok('the certificate is valid and trusted');
    }),
    check('clock', ['tcp', 'tls'], async (signal) => {
      const error = await fault(signal);
      return error === undefined
        ? clockFinding(await answer(signal), deps.now())
        : skipped('the server has not answered');
    }),
    check('endpoint', ['tcp', 'tls'], async (signal) => {
      const error = await fault(signal);
      if (error !== undefined) return failure(describeError(error), error.hint ?? BUSY);
      const seen = await answer(signal);
      const direct = classifyEndpoint(seen, server);
      if (direct.kind !== 'maybe-sse') return direct.finding;
      const stream = await probe.get(signal).catch(() => undefined);
      const isStream = stream?.status === 401 || stream?.contentType === 'text/event-stream';
      return isStream ? ok('a server of HTTP+SSE, the transport of 2024') : direct.finding;
    }),
    check('auth.challenge', ['endpoint'], async (signal) => challengeFinding(await answer(signal), deps)),
  ];
  return {
    checks,
    challenge: async (signal) => (await answer(signal)).challenge,
    isRefused: async (signal) => deps.isAuthorized && (await answer(signal)).status === 401,
    asksForSignIn: async (signal) => !deps.isAuthorized && (await answer(signal)).status === 401,
  };
}

/** The request was sent completely, and no response came: the path to the server works. */
function isSilent({ code, sent }: HttpError): boolean {
  return code === 'timeout' && sent;
}

function clockFinding({ date }: EndpointAnswer, now: number): Finding {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return skipped('the server does not say what time it is');
  const aheadMs = now - theirs;
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return ok('it agrees with the server');
  const by = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
  return warning(
    `it is ${by} the server's: tokens seem to end too early or too late, and signed proofs are refused`,
    'Set the clock of this machine, or let it be set by the network.',
  );
}

function challengeFinding({ status, challenge }: EndpointAnswer, { isAuthorized }: ServerCheckDeps): Finding {
  if (status !== 401) {
    return isAuthorized
      ? ok('the configured header is accepted')
      : skipped('the server requires no sign-in at this address');
  }
  if (isAuthorized) {
    return failure(
      'the server refuses the configured Authorization header (401)',
      'Renew the value of --header Authorization or MCP_DRAWBRIDGE_TOKEN, or leave it out to sign in.',
    );
  }
  if (challenge === undefined) {
    return warning(
      'the server answers 401 without saying how to sign in (RFC 6750 §3); the well-known addresses are tried',
    );
  }
  return challenge.resourceMetadata === undefined
    ? ok('a Bearer challenge without the address of its metadata; the well-known addresses are tried')
    : ok(`a Bearer challenge, with its metadata at ${quote(challenge.resourceMetadata)}`);
}
