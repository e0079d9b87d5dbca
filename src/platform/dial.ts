import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { StopSignal } from './stop.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Where and how to connect. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: TlsSettings | undefined;
}

/** For a connection over TLS, which always checks that the certificate is for the host. */
export interface TlsSettings {
  /** All authorities to trust, in PEM; undefined: Node's own. */
  readonly authorities: readonly string[] | undefined;
  /** A client certificate and its key, in PEM. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * Connects, with TLS up to the end of the handshake. Rejects with Node's own error, or with the signal's reason if it aborts first; then nothing is left open.
 */
export type Dial = (target: DialTarget, signal: StopSignal) => Promise<Socket>;

/** The silence in milliseconds after which the system probes the peer; ten unanswered probes, a second apart, end the connection. */
const KEEP_ALIVE_MS = 30_000;

/** The network of this machine. */
export const systemDial: Dial = (target, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { host, port, tls } = target;
    const socket = tls === undefined ? connectTcp({ host, port }) : connectTls(tlsOptions(target, tls));
    const settle = (done: () => void) => {
      socket.off('error', fail);
      signal.removeEventListener('abort', stop);
      done();
    };
    const fail = (error: unknown) =>
      settle(() => {
        socket.on('error', () => undefined);
        socket.destroy();
        reject(error);
      });
    const stop = () => fail(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    socket.on('error', fail);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () =>
      settle(() => {
        socket.setNoDelay(true);
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        resolve(socket);
      }),
    );
  });

function tlsOptions({ host, port }: DialTarget, { authorities, certificate }: TlsSettings) {
  return {
    host,
    port,
    // Set explicitly, because NODE_TLS_REJECT_UNAUTHORIZED changes the default.
    rejectUnauthorized: true,
    // RFC 6066 §3: a server name is not an address. Node then checks the certificate against `host`.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...withoutUndefined({ ca: authorities && [...authorities] }),
    ...(certificate ?? {}),
  };
}
