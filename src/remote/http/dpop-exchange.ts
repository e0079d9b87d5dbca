import type { HttpResponse } from '../../platform/http/http.ts';
import type { DpopProofs, ProofRetry } from '../../protocol/access-token.ts';
import { startOfBody } from './refusal-body.ts';

/** A server that accepts only its newest nonce gets one request at a time, and no request is retried forever. */
const MAX_ATTEMPTS = 5;

interface Attempt {
  readonly response: HttpResponse;
  readonly again: ProofRetry | undefined;
  /** No other response with another nonce came meanwhile. */
  readonly alone: boolean;
}

export interface DpopMessage {
  readonly method: string;
  readonly url: URL;
  readonly token: string;
  readonly send: (headers: Readonly<Record<string, string>>) => Promise<HttpResponse>;
}

/** Messages that show the key of their token (RFC 9449 §7). */
export class DpopExchange {
  #answers = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * §9: refused for its nonce, a message was not run, and goes once more with the one that came. Where that is refused as well, and the
   * nonce of another message may have been why, in turn with all that fare alike.
   */
  async send(dpopProofs: DpopProofs, message: DpopMessage): Promise<HttpResponse> {
    let last = await this.#attempt(dpopProofs, message, undefined);
    for (let attempts = 1; last.again !== undefined && attempts < MAX_ATTEMPTS; attempts++) {
      if (attempts > 1 && last.alone) break;
      await startOfBody(last.response);
      last =
        attempts === 1
          ? await this.#attempt(dpopProofs, message, last.again)
          : await this.#inTurn(() => this.#attempt(dpopProofs, message, undefined));
    }
    return last.response;
  }

  async #attempt(
    dpopProofs: DpopProofs,
    { method, url, token, send }: DpopMessage,
    proofRetry: ProofRetry | undefined,
  ): Promise<Attempt> {
    const before = this.#answers;
    const dpop = dpopProofs.proof({ method, url, token, proofRetry });
    const response = await send({ authorization: `DPoP ${token}`, dpop });
    const alone = this.#answers === before;
    this.#answers++;
    return { response, again: dpopProofs.noteResponse(url, response), alone };
  }

  #inTurn(attempt: () => Promise<Attempt>): Promise<Attempt> {
    const mine = this.#turn.then(attempt);
    // Its result is handled by its own message.
    this.#turn = mine.catch(() => 'over');
    return mine;
  }
}
