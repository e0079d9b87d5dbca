import { redactor } from '../../redaction/secrets.ts';
import { printable } from '../log/printable.ts';
import { type RefusedCertificate, refusedCertificate } from './connector.ts';
import { HttpError } from './http.ts';

/** The codes with which Node names a certificate that it does not accept. */
const CERTIFICATE_CODE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** Enough for the names on any honest certificate. */
const MAX_SHOWN_CHARACTERS = 200;

const TIMEOUT_CODES = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** What undici, the socket or the resolver threw → the failure as the features know it. */
export function httpFailure(error: unknown, url: URL, sent: boolean): HttpError {
  const system = firstCode(error);
  const where = url.host;
  const details = { cause: error, sent, system };
  if (system === 'ERR_ADDRESS_REFUSED') {
    return new HttpError(
      'refused_address',
      `${where} leads to an address that a public server may not lead to`,
      details,
    );
  }
  if (system !== undefined && CERTIFICATE_CODE.test(system)) {
    const { what, hint } = certificateFault(system, refusedCertificate(error) ?? noCertificate);
    return new HttpError('tls', `the certificate of ${where}${what} (${system})`, { ...details, hint });
  }
  if (system !== undefined && TIMEOUT_CODES.has(system)) {
    return new HttpError('timeout', `${where} did not answer in time (${system})`, details);
  }
  if (sent && url.protocol === 'https:' && saidNothing(error)) {
    // TLS 1.3 (RFC 8446 §4.4.2.4): a server that misses the client's certificate finds that out after the handshake, and often just closes.
    return new HttpError('network', `${where} closed the connection without a word`, {
      ...details,
      hint: 'If the server asks for a client certificate, name it with --cert FILE and --key FILE.',
    });
  }
  const what = sent ? `the connection to ${where} broke` : `could not connect to ${where}`;
  return new HttpError('network', system === undefined ? what : `${what} (${system})`, details);
}

const noCertificate: RefusedCertificate = { issuer: undefined, hosts: undefined, validTo: undefined };

/** What is wrong with a certificate, whose it is, and what a person can do. */
function certificateFault(
  system: string,
  { issuer, hosts, validTo }: RefusedCertificate,
): { readonly what: string; readonly hint: string } {
  const by = issuer === undefined ? '' : `, issued by "${shown(issuer)}",`;
  switch (system) {
    case 'CERT_HAS_EXPIRED':
      return {
        what: `${by} has expired${validTo === undefined ? '' : ` on ${shown(validTo)}`}`,
        hint: "The server's owner has to renew it; if others get through, check the clock of this machine.",
      };
    case 'CERT_NOT_YET_VALID':
      return { what: `${by} is not valid yet`, hint: 'Check the clock of this machine.' };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return {
        what: ` is for other hosts${hosts === undefined ? '' : `: ${shown(hosts)}`}`,
        hint: 'Check the address of the server: it answers under another name.',
      };
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
      return {
        what: ' may be well, but the server refused the handshake',
        hint: 'If it asks for a client certificate, name it with --cert FILE and --key FILE.',
      };
    default:
      return {
        what:
          issuer === undefined
            ? ' is not accepted'
            : ` is issued by "${shown(issuer)}", which is not trusted here`,
        hint: 'If the server is yours or behind a company proxy, name its certificate authority with --ca FILE or NODE_EXTRA_CA_CERTS.',
      };
  }
}

/** What a certificate says is the peer's text as any other (.github/SECURITY.md, attack 24). */
function shown(text: string): string {
  return printable(redactor.redactRegistered(text, MAX_SHOWN_CHARACTERS));
}

/** The peer closed a connection on which it never sent a byte. */
function saidNothing(error: unknown): boolean {
  const { code, socket } = error as { code?: unknown; socket?: { bytesRead?: unknown } | null };
  return code === 'UND_ERR_SOCKET' && socket?.bytesRead === 0;
}

function firstCode(error: unknown): string | undefined {
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 5; depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
    if (at instanceof AggregateError && at.errors[0] !== undefined) at = at.errors[0];
    else at = at.cause;
  }
  return undefined;
}
