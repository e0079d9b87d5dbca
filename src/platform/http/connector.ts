import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import createConnector from 'undici/lib/core/connect.js';

/** The contents of a certificate that was not accepted. */
export interface RefusedCertificate {
  readonly issuer: string | undefined;
  readonly hosts: string | undefined;
  readonly validTo: string | undefined;
}

const refused = new WeakMap<Error, RefusedCertificate>();

/** The certificate because of which a connection failed, if the connection got that far. */
export function refusedCertificate(error: unknown): RefusedCertificate | undefined {
  return error instanceof Error ? refused.get(error) : undefined;
}

let isResetting = false;

/**
 * Calls `abort`, which ends a request, and resets the connection that it destroys. If the connection were only closed, the system would keep sending for
 * minutes what the network has not taken: the request would arrive when no one expects it any more, and a refresh token would be used twice.
 */
export function resetting(abort: () => void): void {
  isResetting = true;
  try {
    abort();
  } finally {
    isResetting = false;
  }
}

/** Creates a connector whose connections can be reset by `resetting`: undici only closes them. */
export function resettableConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) => {
    const socket = connect(target, callback) as unknown as Socket | undefined;
    if (socket === undefined) return socket;
    const { destroy } = socket;
    socket.destroy = (error) => {
      if (isResetting) resetWhenClosed(socket);
      return destroy.call(socket, error);
    };
    return socket;
  };
}

/** A handle of Node; below a TLS handle there is one of TCP. */
interface Handle {
  readonly _parent?: Handle;
  readonly reset?: (done: () => void) => void;
  close: (done: () => void) => void;
}

/**
 * `socket.resetAndDestroy()` does not support TLS, and gives no error to callers that wait for the socket. If Node has no such handle, it is closed as usual.
 */
function resetWhenClosed(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Handle | null };
  const tcp = handle?._parent ?? handle ?? undefined;
  const reset = tcp?.reset;
  if (tcp !== undefined && reset !== undefined) tcp.close = (done) => reset.call(tcp, done);
}

/**
 * Makes a connector (created with `keepAlive: false`) enable TCP keep-alive probes after `probeAfterMs` of silence. Undici sets the option
 * before it connects; on a Windows system that lacks the option, the connection then fails (connect UNKNOWN). Set after the connection
 * is made, a missing option only means that there are no probes.
 */
export function probedConnector(
  connect: buildConnector.connector,
  probeAfterMs: number,
): buildConnector.connector {
  return (target, callback) => {
    const socket = connect(target, callback) as unknown as Socket | undefined;
    socket?.once('connect', () => socket.setKeepAlive(true, probeAfterMs));
    return socket;
  };
}

/** Undici's connector, which also remembers the server's certificate: Node says what is wrong with a certificate, but not whose it is. */
export function certificateConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = createConnector(options);
  return (target, callback) => {
    let shown: RefusedCertificate | undefined;
    const socket = connect(target, (...outcome) => {
      const [error] = outcome;
      if (error !== null && shown !== undefined) refused.set(error, shown);
      callback(...outcome);
    }) as unknown as TLSSocket | undefined;
    // Prepended, to run before Node's own check, which destroys the socket and with it the certificate.
    if (target.protocol === 'https:') {
      socket?.prependOnceListener('secure', () => {
        shown = described(socket.getPeerCertificate(true));
      });
    }
    return socket;
  };
}

function described(certificate: PeerCertificate): RefusedCertificate {
  const { CN, O } = certificate.issuer ?? {};
  const name = CN ?? O;
  return {
    issuer: Array.isArray(name) ? name[0] : name,
    hosts: certificate.subjectaltname,
    validTo: certificate.valid_to,
  };
}
