import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';

/** A message is longer than the limit. */
export class TooLargeError extends DrawbridgeError {
  readonly code = 'too_large';
}

/** The server answered with something that is no answer: a wrong content type, no JSON, no message. */
export class BadAnswerError extends DrawbridgeError {
  readonly code = 'bad_answer';
}

/** The server answered with a status that refuses the message. */
export class HttpStatusError extends DrawbridgeError {
  readonly code = 'http_status';
  readonly status: number;

  constructor(message: string, details: ErrorDetails & { readonly status: number }) {
    super(message, details);
    this.status = details.status;
  }
}
