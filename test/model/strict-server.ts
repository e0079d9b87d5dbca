import { TokenEndpointError } from '../../src/auth/errors/oauth-errors.ts';
import type { TokenAnswer } from '../../src/auth/token/token-response.ts';
import type { NewRecord } from '../../src/store/record/record.ts';
import type { Dice } from '../storm/random.ts';
import { EPOCH_MS, type VirtualProcess, type VirtualTime } from './virtual-time.ts';

/** Which of the tokens of all logins one is. */
export interface Place {
  readonly login: number;
  readonly generation: number;
}

/** One use of a refresh token that the server took. */
export interface Redemption extends Place {
  readonly by: VirtualProcess;
  readonly at: number;
  /** When the access token beside it came to its end for the program, which counts from the request. */
  readonly expiredAt: number;
}

export type ServerPoint = 'sent' | 'committed' | 'answered';

export interface ServerDeps {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly at: (point: ServerPoint, process: VirtualProcess) => void;
  /** What a refresh token came twice to; the login is revoked by then. */
  readonly onReplay: (spent: Redemption, process: VirtualProcess) => void;
}

/** How long a token request may take, whoever waits for it. */
const REQUEST_MS = 30_000;

/** An authorization server with rotation and reuse detection and without any grace (RFC 9700 §4.14.2). */
export class StrictServer {
  readonly lifetimeMs: number;
  readonly #deps: ServerDeps;
  #login = 0;
  #generation = 0;
  #askedAt = 0;
  isRevoked = true;
  /** Access tokens up to this place are refused. */
  refusedUpTo: Place = { login: 0, generation: -1 };
  readonly #redeemed = new Map<string, Redemption>();
  refreshes = 0;
  /** Nobody reaches it until then, or is reached by its answer. */
  readonly unreachable = new Map<VirtualProcess, number>();

  constructor(lifetimeMs: number, deps: ServerDeps) {
    this.lifetimeMs = lifetimeMs;
    this.#deps = deps;
  }

  get latest(): Place {
    return { login: this.#login, generation: this.#generation };
  }

  /** A person signs in: what the sign-in stores. `now`: by the clock of its process. */
  signIn(now: number): NewRecord {
    this.#login++;
    this.#generation = 0;
    this.#askedAt = this.#deps.time.now;
    this.isRevoked = false;
    return {
      family: `family-${this.#login}`,
      server: SERVER,
      issuer: 'https://login.example/',
      resource: SERVER,
      client: { clientId: 'client', source: 'static' },
      endpoints: { token: 'https://login.example/token' },
      tokens: {
        accessToken: accessToken(this.latest),
        refreshToken: refreshToken(this.latest),
        tokenType: 'Bearer',
        obtainedAt: now,
        expiresAt: now + this.lifetimeMs,
      },
    };
  }

  revoke(): void {
    this.isRevoked = true;
  }

  /** Whether the resource server takes this access token. */
  takes(token: string): boolean {
    const place = placeOf(token);
    return !this.isRevoked && place.login === this.#login && isLater(place, this.refusedUpTo);
  }

  /** The refresh request of a process, as its network carries it. */
  post(process: VirtualProcess, token: string): Promise<TokenAnswer> {
    const { time, dice, at } = this.#deps;
    return new Promise((resolve, reject) => {
      const give = (sent: 'no' | 'maybe', ms: number) =>
        process.hand(ms, () => reject(new TokenEndpointError('no answer', { sent })));
      at('sent', process);
      const sentAt = time.now;
      // From here on the request is the network's: its sender may be dead or suspended when it arrives.
      process.hand(1, () => {
        if (this.#isCut(process)) return give('no', dice.between(10, 2_000));
        time.after(dice.between(20, 400), () => {
          const answer = this.#redeem(process, token, sentAt);
          at('committed', process);
          time.after(dice.between(5, 100), () => {
            if (this.#isCut(process)) return give('maybe', REQUEST_MS);
            at('answered', process);
            process.hand(0, () => {
              if (answer === undefined) {
                reject(
                  new TokenEndpointError('invalid_grant', {
                    sent: 'answered',
                    status: 400,
                    oauthError: 'invalid_grant',
                  }),
                );
              } else resolve(answer);
            });
          });
        });
      });
    });
  }

  #isCut(process: VirtualProcess): boolean {
    return (this.unreachable.get(process) ?? 0) > this.#deps.time.now;
  }

  #redeem(by: VirtualProcess, token: string, sentAt: number): TokenAnswer | undefined {
    const spent = this.#redeemed.get(token);
    if (spent !== undefined && spent.login === this.#login && !this.isRevoked) {
      this.isRevoked = true;
      this.#deps.onReplay(spent, by);
      return undefined;
    }
    if (this.isRevoked || token !== refreshToken(this.latest)) return undefined;
    this.#redeemed.set(token, {
      ...this.latest,
      by,
      at: this.#deps.time.now,
      expiredAt: this.#askedAt + this.lifetimeMs,
    });
    this.#generation++;
    this.#askedAt = sentAt;
    this.refreshes++;
    return {
      accessToken: accessToken(this.latest),
      refreshToken: refreshToken(this.latest),
      tokenType: 'Bearer',
      expiresInSeconds: this.lifetimeMs / 1000,
    };
  }
}

export const SERVER = 'https://mcp.example/mcp';

const accessToken = ({ login, generation }: Place) => `A-${login}-${generation}`;
const refreshToken = ({ login, generation }: Place) => `R-${login}-${generation}`;

/** Of an access or refresh token. */
export function placeOf(token: string): Place {
  const [, login, generation] = token.split('-');
  return { login: Number(login), generation: Number(generation) };
}

export function isLater(a: Place, b: Place): boolean {
  return a.login !== b.login ? a.login > b.login : a.generation > b.generation;
}

/** When virtual time is that, by a clock that is right. */
export const wallAt = (time: VirtualTime) => EPOCH_MS + time.now;
