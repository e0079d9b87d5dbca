import { BadAnswerError } from '../../remote/http/errors.ts';
import type { Reply } from '../../remote/transport/transport.ts';

/** The server refuses `initialize` as one does that is of the modern era; nothing but that was sent. */
export class NotLegacyError extends BadAnswerError {
  /** How it refused, where it did so under a status. */
  readonly refused: Extract<Reply, { kind: 'refused' }> | undefined;

  constructor(message: string, refused?: Extract<Reply, { kind: 'refused' }>) {
    super(message);
    this.refused = refused;
  }
}
