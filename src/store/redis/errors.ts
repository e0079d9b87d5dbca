import { DrawbridgeError } from '../../errors.ts';
import { CONNECTION_HINTS, NAME_HINTS } from '../../platform/network-hints.ts';

/** The reply is not one that the engine would give: too large, out of turn, or not RESP2 at all. */
export class BadReplyError extends DrawbridgeError {
  readonly code = 'bad_answer';
}

/**
 * The engine's error reply, such as `-LOADING Redis is loading the dataset in memory`. Only its first word is kept: the rest may repeat the command, including
 * a password.
 */
export class EngineRefusal extends DrawbridgeError {
  readonly code = 'bad_answer';
  /** Its first word, in upper case. */
  readonly reply: string;

  constructor(text: string) {
    const reply = /^[A-Z]{2,16}(?= |$)/.exec(text)?.[0] ?? 'ERR';
    super(`refused (${reply})`);
    this.reply = reply;
  }
}

/** No reply came: there was no connection, or it broke or stayed silent. */
export class ConnectionLostError extends DrawbridgeError {
  readonly code = 'network';
  /** Whether part of the command may have reached the engine. */
  readonly sent: boolean;

  constructor(message: string, details: { readonly sent: boolean; readonly cause?: unknown }) {
    super(message, details);
    this.sent = details.sent;
  }
}

export const timedOut = (sent: boolean): ConnectionLostError =>
  new ConnectionLostError('no answer in time', {
    sent,
    cause: Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }),
  });

/** Whether this is about an answer that did not come in time. A connection that the system has given up ends with its own error. */
export function isSilence(error: unknown): boolean {
  return error instanceof ConnectionLostError && systemCode(error) === 'ETIMEDOUT';
}

/**
 * Error replies that mean nothing was changed: the engine gives them before it runs a command, or at the first write of the script, after which nothing can
 * fail. Any other may come from a proxy that does not know the fate of the command.
 */
const NOTHING_CHANGED = new Set([
  'ASK',
  'BUSY',
  'CLUSTERDOWN',
  'CROSSSLOT',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'MOVED',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'NOSCRIPT',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'WRONGPASS',
]);

/** Whether a command that failed in this way may have been carried out. */
export function mayHaveRun(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return error.sent;
  return !(error instanceof EngineRefusal && NOTHING_CHANGED.has(error.reply));
}

/** What a refusal means for a person, and what to do. */
const REFUSALS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  BUSY: ['is busy with a script', 'Wait until it ends, or end it with SCRIPT KILL.'],
  LOADING: ['is still reading its data from disk', 'It answers by itself once it has read them.'],
  MASTERDOWN: [
    'is a replica that has lost its primary',
    'Name the primary, or the Sentinels, in the address of the store.',
  ],
  MISCONF: [
    'takes no writes, because it cannot save to its disk',
    "Make room on the engine's disk, or see its log.",
  ],
  MOVED: ['is part of a cluster', 'Clusters are not supported: name a single server or Sentinels.'],
  NOAUTH: [
    'asks for a password',
    'Put user and password into the address of the store: rediss://USER:PASSWORD@HOST.',
  ],
  NOPERM: [
    'does not let this user do what the store needs',
    'Give the user the commands and keys that the README lists.',
  ],
  NOREPLICAS: [
    'accepts no writes, because too few replicas are connected',
    'See min-replicas-to-write in its configuration.',
  ],
  OOM: ['accepts no writes, because its memory is full', 'Raise maxmemory, or free some of it.'],
  READONLY: [
    'is a replica, which accepts no writes',
    'Name the primary, or the Sentinels, in the address of the store.',
  ],
  WRONGPASS: [
    'does not accept this user and password',
    'Check user and password in the address of the store.',
  ],
};
const SAME_AS: Readonly<Record<string, string>> = { ASK: 'MOVED', CLUSTERDOWN: 'MOVED', CROSSSLOT: 'MOVED' };

/** Node's codes for an untrusted certificate, and for a failed handshake. */
const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_)/;
const TRUST = 'Check the host in the address of the store, and name its certificate authority with ?ca=FILE.';

/** Replies of a replica. Where the Sentinels name it as the primary, a failover is under way. */
const OF_A_REPLICA = new Set(['MASTERDOWN', 'READONLY']);
const IN_FAILOVER =
  'The Sentinels still name this server as the primary. Once they name another one, that one is used.';

/** The message of a `ConnectionLostError` that says more than the system's error code. */
export const NO_PRIMARY = 'no Sentinel names a primary';

const IN_ADDRESS =
  'Check the spelling of the address of the store. If it is a name inside a network, connect to its VPN.';
/** What a person can check where one server is named, by the system's error code. */
const FOR_ONE_SERVER: ReadonlyMap<string, string> = new Map([
  ...NAME_HINTS,
  ...CONNECTION_HINTS,
  ['ECONNREFUSED', 'Check that the engine runs, and that the port in the address of the store is right.'],
  ['ENOTFOUND', IN_ADDRESS],
  ['ENODATA', IN_ADDRESS],
]);
/** Where Sentinels name it. */
const NAMED_BY_SENTINELS =
  'The Sentinels name this server as the primary: check that it runs, and that it can be reached from here under that address.';
const SENTINELS = 'Check the name of the primary in the address of the store, and that the Sentinels run.';

/** A problem as people read it. */
export interface Fault {
  /** To follow the name of the store. */
  readonly what: string;
  /** What a person can do about it. */
  readonly hint?: string | undefined;
  /** An error that says more than `what`. */
  readonly cause?: unknown;
}

export function describeFault(error: unknown, hasSentinels: boolean): Fault {
  if (error instanceof EngineRefusal) {
    const [what, forOneServer] = REFUSALS[SAME_AS[error.reply] ?? error.reply] ?? [];
    const hint = hasSentinels && OF_A_REPLICA.has(error.reply) ? IN_FAILOVER : forOneServer;
    return what === undefined
      ? { what: `refused a command (${error.reply})`, cause: error }
      : { what: `${what} (${error.reply})`, hint, cause: error };
  }
  if (error instanceof BadReplyError) return { what: `sent ${error.message}`, cause: error };
  const code = systemCode(error);
  if (code !== undefined && CERTIFICATE.test(code)) {
    return { what: `has a certificate that is not accepted (${code})`, hint: TRUST, cause: error };
  }
  if (code === 'ETIMEDOUT') return { what: 'does not answer in time' };
  const message = error instanceof ConnectionLostError ? error.message : '';
  if (message === NO_PRIMARY)
    return { what: `cannot be reached: ${message}`, hint: SENTINELS, cause: systemError(error) ?? error };
  const hint = code === undefined ? undefined : FOR_ONE_SERVER.get(code);
  // There was no connection, and the code says why. Of one server the address of the store says where.
  if (hint !== undefined) {
    const what = `cannot be reached (${code})`;
    return hasSentinels ? { what, hint: NAMED_BY_SENTINELS, cause: systemError(error) } : { what, hint };
  }
  const why = message === '' ? '' : `: ${message}`;
  return { what: `cannot be reached${why}${code === undefined ? '' : ` (${code})`}`, cause: error };
}

/** The first error with a system's code among an error, its parts and its causes. */
function systemError(error: unknown): (Error & { readonly code: string }) | undefined {
  let at = error;
  for (let depth = 0; at instanceof Error && depth < 5; depth++) {
    const { code } = at as { readonly code?: unknown };
    if (typeof code === 'string' && code === code.toUpperCase())
      return at as Error & { readonly code: string };
    at = at instanceof AggregateError && at.errors[0] !== undefined ? at.errors[0] : at.cause;
  }
  return undefined;
}

function systemCode(error: unknown): string | undefined {
  return systemError(error)?.code;
}
