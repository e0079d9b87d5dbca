import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import createConnector from 'undici/lib/core/connect.js';

/** What a certificate that was not accepted says of itself. */
export interface RefusedCertificate {
  readonly issuer: string | undefined;
  readonly hosts: string | undefined;
  readonly validTo: string | undefined;
}

const refused = new WeakMap<Error, RefusedCertificate>();

/** The certificate over which a connection failed, where it got that far. */
export function refusedCertificate(error: unknown): RefusedCertificate | undefined {
  return error instanceof Error ? refused.get(error) : undefined;
}

/**
 * A connector (made with `keepAlive: false`) whose sockets are probed after this much silence. Undici asks for that before it connects,
 * and on Windows the connection then fails where the system does not have the option (connect UNKNOWN); asked for afterwards, it only
 * stays without probes.
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

/** Undici's connector, which also remembers what it was shown: Node names the fault of a certificate, but not whose it is. */
export function certificateConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = createConnector(options);
  return (target, callback) => {
    let shown: RefusedCertificate | undefined;
    const socket = connect(target, (...outcome) => {
      const [error] = outcome;
      if (error !== null && shown !== undefined) refused.set(error, shown);
      callback(...outcome);
    }) as unknown as TLSSocket | undefined;
    // Before Node's own check, which destroys the socket and with it the certificate.
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
