import type { Prover } from '../../protocol/access-token.ts';
import type { CredentialRecord, DpopKey } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import type { ProverTools } from './proof.ts';

/** A record's access token as it is sent. What makes proofs is loaded with the first message that needs one, and kept. */
export class TokensToSend {
  readonly #tools: ProverTools;
  #bound: { readonly key: DpopKey; readonly prover: () => Promise<Prover> } | undefined;

  constructor(tools: ProverTools) {
    this.#tools = tools;
  }

  of(record: CredentialRecord | undefined): Bearer | undefined {
    const tokens = record?.tokens;
    if (tokens === undefined) return undefined;
    if (record?.dpopKey === undefined || tokens.tokenType !== 'DPoP') return { token: tokens.accessToken };
    return { token: tokens.accessToken, prover: this.#prover(record.dpopKey) };
  }

  #prover(key: DpopKey): () => Promise<Prover> {
    if (this.#bound?.key.d !== key.d) {
      let made: Promise<Prover> | undefined;
      const make = async () => (await import('./proof.ts')).createProver(key, this.#tools);
      this.#bound = { key, prover: () => (made ??= make()) };
    }
    return this.#bound.prover;
  }
}

/** Whether a challenge may be about more than a token, which is then looked into (RFC 9449 §7.1). */
export function saysDpop(wwwAuthenticate: string | undefined): boolean {
  return wwwAuthenticate !== undefined && /dpop/i.test(wwwAuthenticate);
}
