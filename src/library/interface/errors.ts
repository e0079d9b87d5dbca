import { DrawbridgeError } from '../../errors.ts';

/** The request has to be sent again with another token, but its body is a stream, which can be sent only once. */
export class NotReplayableError extends DrawbridgeError {
  readonly code = 'not_replayable';
}

/** The server redirects a request to a forbidden target. */
export class OtherOriginError extends DrawbridgeError {
  readonly code = 'other_origin';
}
