import type { DpopProofs } from '../../protocol/access-token.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord, DpopKey } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import type { DpopProofDeps } from './proof.ts';

/** A record's access token in the form in which it is sent. The code for proofs is loaded with the first message that needs one. */
export class AccessTokenFactory {
  readonly #deps: DpopProofDeps;
  #bound: { readonly key: DpopKey; readonly dpopProofs: () => Promise<DpopProofs> } | undefined;

  constructor(deps: DpopProofDeps) {
    this.#deps = deps;
  }

  of(record: CredentialRecord | undefined): Bearer | undefined {
    const tokens = record?.tokens;
    if (tokens === undefined) return undefined;
    if (record?.dpopKey === undefined || tokens.tokenType !== 'DPoP') return { token: tokens.accessToken };
    return { token: tokens.accessToken, dpopProofs: this.#dpopProofs(record.dpopKey) };
  }

  #dpopProofs(key: DpopKey): () => Promise<DpopProofs> {
    if (this.#bound?.key.d !== key.d) {
      let made: Promise<DpopProofs> | undefined;
      const make = async () => (await import('./proof.ts')).createDpopProofs(key, this.#deps);
      this.#bound = { key, dpopProofs: () => (made ??= make()) };
    }
    return this.#bound.dpopProofs;
  }
}

/** Whether the refusal may be about a key or a proof, and not about the token alone (RFC 9449 §7.1). */
export function mentionsDpop(challenge: BearerChallenge | undefined): boolean {
  return challenge?.dpop !== undefined || challenge?.dpopError !== undefined;
}
