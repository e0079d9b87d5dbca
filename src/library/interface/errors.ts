import { DrawbridgeError } from '../../errors.ts';

/** The request has to be sent again with another token, and its body is a stream, which can be sent but once. */
export class NotReplayableError extends DrawbridgeError {
  readonly code = 'not_replayable';
}

/** The server redirects a request to where it must not go. */
export class OtherOriginError extends DrawbridgeError {
  readonly code = 'other_origin';
}
