import { redactor } from '../../redaction/secrets.ts';
import { printable } from '../log/printable.ts';
import { type RefusedCertificate, refusedCertificate } from './connector.ts';
import { HttpError } from './http.ts';

/** Node's error codes for a certificate that it does not accept. */
const CERTIFICATE_CODE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/** Long enough for the names on any ordinary certificate. */
const MAX_SHOWN_CHARACTERS = 200;

const TIMEOUT_CODES = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/**
 * Turns an error from undici, the socket or the resolver into an HttpError. `sent`: whether some of the request may have reached
 * the server.
 */
export function httpFailure(error: unknown, url: URL, sent: boolean): HttpError {
  const system = firstCode(error);
  const where = url.host;
  const details = { cause: error, sent, system };
  if (system === 'ERR_ADDRESS_REFUSED') {
    return new HttpError(
      'refused_address',
      `${where} resolves to an address that is not allowed for a public server`,
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
    // TLS 1.3 (RFC 8446 §4.4.2.4): a server notices a missing client certificate only after the handshake, and often just closes.
    return new HttpError('network', `${where} closed the connection without an answer`, {
      ...details,
      hint: 'If the server requires a client certificate, set --cert FILE and --key FILE.',
    });
  }
  const what = sent ? `the connection to ${where} broke` : `could not connect to ${where}`;
  return new HttpError('network', system === undefined ? what : `${what} (${system})`, details);
}

const noCertificate: RefusedCertificate = { issuer: undefined, hosts: undefined, validTo: undefined };

/** What is wrong with a certificate, whose it is, and what the user can do about it. */
function certificateFault(
  system: string,
  { issuer, hosts, validTo }: RefusedCertificate,
): { readonly what: string; readonly hint: string } {
  const by = issuer === undefined ? '' : `, issued by "${shown(issuer)}",`;
  switch (system) {
    case 'CERT_HAS_EXPIRED':
      return {
        what: validTo === undefined ? `${by} has expired` : `${by} expired on ${shown(validTo)}`,
        hint: "The server's owner has to renew it. If it works on other machines, check the clock of this one.",
      };
    case 'CERT_NOT_YET_VALID':
      return { what: `${by} is not valid yet`, hint: 'Check the clock of this machine.' };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return {
        what: ` is for other hosts${hosts === undefined ? '' : `: ${shown(hosts)}`}`,
        hint: "Check the server's address: its certificate is for another name.",
      };
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
      return {
        what: ' may be valid, but the server refused the handshake',
        hint: 'If the server requires a client certificate, set --cert FILE and --key FILE.',
      };
    default:
      return {
        what:
          issuer === undefined
            ? ' is not accepted'
            : ` is issued by "${shown(issuer)}", which is not trusted here`,
        hint: 'If the server is yours or you are behind a company proxy, set its certificate authority with --ca FILE or NODE_EXTRA_CA_CERTS.',
      };
  }
}

/** The text in a certificate comes from the peer and is not trusted (.github/SECURITY.md, attack 24). */
function shown(text: string): string {
  return printable(redactor.redactRegistered(text, MAX_SHOWN_CHARACTERS));
}

/** Whether the peer closed the connection without having sent a byte. */
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
