import { DrawbridgeError, type ErrorDetails } from '../../errors.ts';
import type { ContentErrors } from '../../platform/content/content.ts';
import { quote } from '../../protocol/quote.ts';

/** A message is longer than the limit. */
export class TooLargeError extends DrawbridgeError {
  readonly code = 'too_large';
}

/** The server's response is not an answer: a wrong content type, no JSON, no message. */
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

/** What is wrong with the body of a message. */
export const contentErrors: ContentErrors = {
  badAnswer: (message, details) => new BadAnswerError(message, details),
  unknownCoding: (coding) =>
    new BadAnswerError(`the server answered with a content coding that was not asked for: ${quote(coding)}`),
  tooLarge: (limitBytes) =>
    new TooLargeError(`the server sent a message of more than ${limitBytes} bytes`, {
      hint: 'Raise the limit with --max-message-size.',
    }),
};
