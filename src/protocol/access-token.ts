/** What a message to a protected server is authorized with. */
export interface AccessToken {
  readonly token: string;
  /** The token is bound to a key (RFC 9449): this shows, for each request anew, that the key is ours. Loaded when it is first wanted. */
  readonly dpopProofs?: () => Promise<DpopProofs>;
}

/** Makes DPoP proofs, and keeps what servers want to find in them. */
export interface DpopProofs {
  proof(request: DpopProofRequest): string;
  /** Looks at each answer. Something: it was refused for its proof alone, and may be sent once more, with this. */
  noteResponse(url: URL, answer: DpopResponse): ProofRetry | undefined;
}

export interface DpopProofRequest {
  readonly method: string;
  readonly url: URL;
  /** The token that goes with it; none goes to a token endpoint. */
  readonly token?: string | undefined;
  readonly proofRetry?: ProofRetry | undefined;
}

export interface DpopResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The error in the body (RFC 6749 §5.2); a protected server's stands in its challenge. */
  readonly oauthError?: string | undefined;
}

/** What the refused proof lacked. */
export interface ProofRetry {
  readonly nonce?: string;
}

export interface TokenBinding {
  readonly dpopProofs: DpopProofs;
  readonly only: boolean;
}
