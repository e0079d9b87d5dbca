import { DrawbridgeError, type ErrorCode } from '../../errors.ts';
import type { StopSignal } from '../../platform/stop.ts';
import { type RawObject, rawMembers } from '../../protocol/json/raw-json.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { IdMap } from '../../protocol/message-id.ts';
import { excerpt } from '../../remote/http/refusal.ts';

/** The host answered a question of the server with an error. */
export class HostRefusedError extends DrawbridgeError {
  readonly code: ErrorCode = 'bad_answer';
}

/** The server's questions that the host has not answered yet. */
export class HostAnswers {
  readonly #open = new IdMap<(answer: RawObject) => void>();

  /** Takes an answer of the host; false if no question here has this id. */
  take(id: MessageId, text: string): boolean {
    const resolve = this.#open.get(id);
    if (resolve === undefined) return false;
    this.#open.delete(id);
    resolve(rawMembers(text));
    return true;
  }

  /**
   * The text of the host's result for each of `asked` (a map from keys to the questions' ids). Rejects with HostRefusedError if the host answers
   * with an error, and with the signal's reason.
   */
  async answers(asked: ReadonlyMap<string, MessageId>, signal: StopSignal): Promise<RawObject> {
    const given = Array.from(asked, async ([key, id]): Promise<[string, string]> => {
      const answer = await this.#answer(id, signal);
      const result = answer.get('result');
      if (result === undefined) {
        throw new HostRefusedError(
          `the host refused a question of the server: ${excerpt(answer.get('error') ?? '')}`,
        );
      }
      return [key, result];
    });
    return new Map(await Promise.all(given));
  }

  #answer(id: MessageId, signal: StopSignal): Promise<RawObject> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#open.delete(id);
        reject(signal.reason);
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#open.set(id, (answer) => {
        signal.removeEventListener('abort', stop);
        resolve(answer);
      });
    });
  }
}
