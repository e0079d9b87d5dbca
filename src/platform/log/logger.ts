/**
 * The names that log fields may have. The list is closed, so that a token cannot be logged by spreading an object into a call; the sink
 * redacts as well (.github/SECURITY.md, attack 41).
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

/** The details of a log entry. */
export type LogFields = { readonly [name in LogField]?: string | number | boolean | null | undefined };

/** The only output channel for everything that is not MCP. */
export interface Logger {
  /** Tells the user what they have to do or know, on stderr unless silenced. One sentence or a few lines. */
  inform(message: string): void;
  /** Something is wrong and the program goes on. */
  warn(event: string, fields?: LogFields): void;
  /** Details for finding a fault; written only with `--debug`. */
  debug(event: string, fields?: LogFields): void;
}

/** A logger that drops everything, for code that runs before there is a sink. */
export const silentLogger: Logger = {
  inform: () => {},
  warn: () => {},
  debug: () => {},
};
