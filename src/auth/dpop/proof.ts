import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import type { DpopProofRequest, DpopProofs, DpopResponse, ProofRetry } from '../../protocol/access-token.ts';
import { bearerChallenge } from '../../protocol/www-authenticate.ts';
import type { DpopKey } from '../../store/record/record.ts';
import { MIN_SKEW_MS, signJwt } from '../jwt/signing.ts';
import { readDpopKey } from './key.ts';

/** What an origin requires in proofs: in memory only, shared by all keys, since nonces belong to the server and not to the key (RFC 9449 §8.2). */
export type DpopNonceCache = Map<string, OriginState>;

interface OriginState {
  readonly nonce?: string;
  /** Its clock minus ours, if it refused ours. */
  readonly offsetMs?: number;
}

export interface DpopProofDeps {
  readonly memory: DpopNonceCache;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** RFC 9449 §4.2 requires at least 96. */
const JTI_BITS = 128;
/** §8.1: NQCHAR. A longer one would not fit into the headers that servers accept. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,2048}$/;
/** A login has two origins, seldom three. */
const MAX_ORIGINS = 8;

/** RFC 9449: proofs with the key of one login. */
export function createDpopProofs(jwk: DpopKey, { memory, clock, random }: DpopProofDeps): DpopProofs {
  const { signing, publicJwk } = readDpopKey(jwk);

  const remember = (origin: string, wishes: OriginState) => {
    const known = memory.get(origin);
    const [oldest] = memory.keys();
    if (known === undefined && memory.size >= MAX_ORIGINS && oldest !== undefined) memory.delete(oldest);
    memory.set(origin, { ...known, ...wishes });
  };

  return {
    proof: ({ method, url, token, proofRetry }: DpopProofRequest): string => {
      const { nonce, offsetMs = 0 } = { ...memory.get(url.origin), ...proofRetry };
      return signJwt(
        { typ: 'dpop+jwt', jwk: publicJwk },
        {
          jti: randomToken(random, JTI_BITS),
          htm: method,
          // §4.2: without query and fragment.
          htu: `${url.origin}${url.pathname}`,
          iat: Math.floor((clock.now() + offsetMs) / 1000),
          ath: token && createHash('sha256').update(token).digest('base64url'),
          nonce,
        },
        signing,
      );
    },
    noteResponse: (url: URL, answer: DpopResponse): ProofRetry | undefined => {
      const given = answer.headers['dpop-nonce'];
      const nonce = given !== undefined && NONCE.test(given) ? given : undefined;
      // RFC 9449 §8.2: any response may contain the next nonce.
      if (nonce !== undefined) remember(url.origin, { nonce });
      // Not from the cache: concurrent calls each have their own, and a server may accept each only once.
      const proofRetry = nonce === undefined ? {} : { nonce };
      switch (proofError(answer)) {
        case 'use_dpop_nonce':
          return nonce === undefined ? undefined : proofRetry;
        case 'invalid_dpop_proof': {
          const ahead = Date.parse(answer.headers.date ?? '') - clock.now();
          const offsetMs = Math.abs(ahead) > MIN_SKEW_MS ? ahead : 0;
          if (offsetMs === 0 && !memory.get(url.origin)?.offsetMs) return undefined;
          remember(url.origin, { offsetMs });
          return proofRetry;
        }
        default:
          return undefined;
      }
    },
  };
}

/** The error of a response that blames only the proof: a token endpoint's (§8), or a protected server's (§7.1, §9). */
function proofError({ status, headers, oauthError }: DpopResponse): string | undefined {
  if (status !== 400 && status !== 401) return undefined;
  const challengeError = () => bearerChallenge(headers['www-authenticate']).dpopError;
  const error = oauthError ?? (status === 401 ? challengeError() : undefined);
  return error !== undefined && isProofError(error) ? error : undefined;
}

export function isProofError(error: string): boolean {
  return error === 'use_dpop_nonce' || error === 'invalid_dpop_proof';
}
