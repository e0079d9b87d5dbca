import { BadAnswerError } from '../../remote/http/errors.ts';
import type { Reply } from '../../remote/transport/transport.ts';

/** The server refuses `initialize` as a modern server would. No other message was sent before. */
export class NotLegacyError extends BadAnswerError {
  /** The refusal, if it came as an HTTP status. */
  readonly refused: Extract<Reply, { kind: 'refused' }> | undefined;

  constructor(message: string, refused?: Extract<Reply, { kind: 'refused' }>) {
    super(message);
    this.refused = refused;
  }
}
