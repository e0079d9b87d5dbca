import type { IncomingMessage, ServerResponse } from 'node:http';
import { Journal } from '../net/journal.ts';
import { type Listening, listen, readBody } from '../net/listening.ts';

export interface RefreshPost {
  readonly refreshToken: string;
  /** `replay`: it had been spent, which revokes the whole family. */
  readonly outcome: 'rotated' | 'replay' | 'unknown' | 'fault';
}

type Fault = (request: IncomingMessage, response: ServerResponse) => void;

/** A token endpoint that does nothing but rotate refresh tokens, and revokes everything when one comes twice. */
export class RotatingEndpoint implements AsyncDisposable {
  readonly posts = new Journal<RefreshPost>();
  /** Answers the next requests in the endpoint's place. */
  readonly faults: Fault[] = [];
  /** A spent token may come again and rotates once more, as servers with a grace period have it. */
  grace = false;
  /** Waits before an answer, when the rotation is already done. */
  beforeAnswer: () => Promise<void> = async () => {};
  /** A gateway in front of the endpoint that has no patience: it answers this when the rotation is already done. */
  gatewayStatus: number | undefined;
  expiresInSeconds = 3_600;
  readonly #listening: Listening;
  #issued = 0;
  #valid = new Set<string>(['R0']);
  readonly #spent = new Set<string>();

  private constructor(listening: Listening) {
    this.#listening = listening;
  }

  static async start(): Promise<RotatingEndpoint> {
    const listening = await listen((request, response) => {
      self.#answer(request, response).catch((error) => response.destroy(error));
    });
    const self = new RotatingEndpoint(listening);
    return self;
  }

  get address(): string {
    return `${this.#listening.origin}/token`;
  }

  count(outcome: RefreshPost['outcome']): number {
    return this.posts.count((post) => post.outcome === outcome);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refreshToken = new URLSearchParams((await readBody(request)).toString()).get('refresh_token') ?? '';
    const fault = this.faults.shift();
    if (fault !== undefined) {
      this.posts.add({ refreshToken, outcome: 'fault' });
      return fault(request, response);
    }
    const outcome = this.#judge(refreshToken);
    if (outcome === 'rotated') {
      this.#valid.delete(refreshToken);
      this.#spent.add(refreshToken);
    } else if (outcome === 'replay') this.#valid.clear();
    const number = ++this.#issued;
    if (outcome === 'rotated') this.#valid.add(`R${number}`);
    this.posts.add({ refreshToken, outcome });
    await this.beforeAnswer();
    if (this.gatewayStatus !== undefined) {
      response.writeHead(this.gatewayStatus, { 'content-type': 'text/html' }).end('<h1>Gateway</h1>');
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.statusCode = outcome === 'rotated' ? 200 : 400;
    response.end(
      JSON.stringify(
        outcome === 'rotated'
          ? {
              access_token: `A${number}`,
              refresh_token: `R${number}`,
              token_type: 'Bearer',
              expires_in: this.expiresInSeconds,
            }
          : { error: 'invalid_grant' },
      ),
    );
  }

  #judge(refreshToken: string): RefreshPost['outcome'] {
    if (this.#valid.has(refreshToken)) return 'rotated';
    if (!this.#spent.has(refreshToken)) return 'unknown';
    return this.grace ? 'rotated' : 'replay';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening.close();
  }
}
