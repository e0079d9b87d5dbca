import type { DpopMode } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { Discovered } from '../discovery/discover.ts';
import { DpopError } from '../errors/errors.ts';
import { DPOP_ALGS, type DpopAlg } from './key.ts';

export interface DpopInputs {
  readonly mode: DpopMode | undefined;
  readonly challenge: Pick<BearerChallenge, 'dpop' | 'scheme'>;
  readonly found: Pick<Discovered, 'issuer' | 'metadata' | 'dpopRequired' | 'resourceDpopAlgs'>;
  /** The login being renewed has a key: if the server says nothing, a bound token is requested again. */
  readonly isBound?: boolean;
}

export type BindingDecision =
  | { readonly kind: 'bound'; readonly alg: DpopAlg }
  /** `wanted`: bound tokens would have been requested if they were supported. */
  | { readonly kind: 'bearer'; readonly wanted: boolean };

/** Whether tokens are bound to a key (RFC 9449 §5), and its signing algorithm. Throws DpopError if they have to be bound and cannot. */
export function decideBinding({ mode = 'auto', challenge, found, isBound }: DpopInputs): BindingDecision {
  if (mode === 'never') return { kind: 'bearer', wanted: false };
  const wasWanted = isBound === true && challenge.scheme === undefined;
  const isWanted = found.dpopRequired === true || challenge.dpop !== undefined || wasWanted;
  if (mode === 'auto' && !isWanted) return { kind: 'bearer', wanted: false };
  const offered = found.metadata.dpopAlgs;
  const takers = [offered ?? [], challenge.dpop?.algs, found.resourceDpopAlgs];
  const alg = DPOP_ALGS.find((each) => takers.every((algs) => algs === undefined || algs.includes(each)));
  if (alg !== undefined) return { kind: 'bound', alg };
  if (mode === 'auto') return { kind: 'bearer', wanted: true };
  throw new DpopError(
    offered === undefined
      ? `${quote(found.issuer)} does not say that it binds tokens to a key (DPoP)`
      : `${quote(found.issuer)} and the server accept no proof signed with ${DPOP_ALGS.join(', ')}`,
    { hint: 'Without --dpop always an unbound token is requested.' },
  );
}
