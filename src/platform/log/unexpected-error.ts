import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Logger } from './logger.ts';

/** What the host or the server is told about an unexpected error; only the log says where it happened. */
export const UNEXPECTED_ERROR =
  'Internal error: mcp-drawbridge failed in an unexpected way. Its log has the details.';

/** Logs an unexpected error with its stack. `doing` names the operation that it ended. Never throws. */
export function logUnexpected(logger: Logger, doing: string, error: unknown): void {
  logger.warn('an unexpected error', { detail: doing, error: stackOf(error) });
}

/** Logs a failure that needs no further handling: an expected one by its message, any other with its stack. */
export function logFailure(logger: Logger, event: string, error: unknown): void {
  if (error instanceof DrawbridgeError) logger.warn(event, { error: describeError(error) });
  else logUnexpected(logger, event, error);
}

function stackOf(error: unknown): string {
  if (error instanceof Error) return String(error.stack ?? error.message);
  // Anything can be thrown, even a value that cannot be converted to a string.
  return typeof error === 'string' ? error : `a thrown ${typeof error}`;
}
