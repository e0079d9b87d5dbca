/**
 * The one way out for everything that is not MCP. Fields come from an allow-list of names, so that a token cannot
 * be logged by spreading an object into a call; the sink behind it redacts as well (.github/SECURITY.md, attack 41).
 */
export type LogField =
  | 'address'
  | 'attempt'
  | 'bytes'
  | 'code'
  | 'count'
  | 'delayMs'
  | 'detail'
  | 'durationMs'
  | 'endpoint'
  | 'error'
  | 'file'
  | 'id'
  | 'issuer'
  | 'key'
  | 'kind'
  | 'method'
  | 'outcome'
  | 'pid'
  | 'port'
  | 'reason'
  | 'revision'
  | 'scope'
  | 'server'
  | 'status'
  | 'tool'
  | 'version';

export type LogFields = { readonly [name in LogField]?: string | number | boolean | null | undefined };

export interface Logger {
  /** For a person, on stderr unless silenced: what they have to do or know. One sentence or a few lines. */
  inform(message: string): void;
  /** Something is wrong and the program goes on. */
  warn(event: string, fields?: LogFields): void;
  /** For whoever looks for a fault; written only with `--debug`. */
  debug(event: string, fields?: LogFields): void;
  /** From now on this text never leaves through the sink. */
  secret(text: string): void;
}

/** A logger that drops everything, for code that runs before there is a sink. */
export const silentLogger: Logger = {
  inform: () => {},
  warn: () => {},
  debug: () => {},
  secret: () => {},
};
