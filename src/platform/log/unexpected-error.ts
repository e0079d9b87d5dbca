import { DrawbridgeError, describeError } from '../../errors.ts';
import type { Logger } from './logger.ts';

/** What the host or the server is told of an error that no part of the program expects; where it happened stands in the log alone. */
export const UNEXPECTED_ERROR =
  'Internal error: mcp-drawbridge failed in an unexpected way. Its log holds the details.';

/** Logs an error that no part of the program expects, with its stack. `doing` names what it put an end to. Never throws. */
export function logUnexpected(logger: Logger, doing: string, error: unknown): void {
  logger.warn('an unexpected error', { detail: doing, error: stackOf(error) });
}

/** Logs a failure after which there is nothing to do: an expected one in its words, any other with its stack. */
export function logFailure(logger: Logger, event: string, error: unknown): void {
  if (error instanceof DrawbridgeError) logger.warn(event, { error: describeError(error) });
  else logUnexpected(logger, event, error);
}

function stackOf(error: unknown): string {
  if (error instanceof Error) return String(error.stack ?? error.message);
  // Anything can be thrown, also what cannot be made a text.
  return typeof error === 'string' ? error : `a thrown ${typeof error}`;
}
