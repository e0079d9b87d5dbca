/** The access token with which messages to a protected server are authorized. */
export interface AccessToken {
  readonly token: string;
  /** Present if the token is bound to a key (RFC 9449): makes the proof that each request needs. Loaded on first use. */
  readonly dpopProofs?: () => Promise<DpopProofs>;
}

/** Makes DPoP proofs (RFC 9449 §4) and keeps the nonces that servers require in them (§8). */
export interface DpopProofs {
  proof(request: DpopProofRequest): string;
  /** Reads the nonce from a response. Returns a value if only the proof was refused: the request may then be sent once more with that value. */
  noteResponse(url: URL, answer: DpopResponse): ProofRetry | undefined;
}

/** The request that a proof is for. */
export interface DpopProofRequest {
  readonly method: string;
  readonly url: URL;
  /** The access token sent with the request; requests to a token endpoint have none. */
  readonly token?: string | undefined;
  readonly proofRetry?: ProofRetry | undefined;
}

/** The parts of a response that matter for proofs. */
export interface DpopResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The error in the body (RFC 6749 §5.2); a protected resource puts its error into the challenge instead. */
  readonly oauthError?: string | undefined;
}

/** What the refused proof lacked and the next one must have. */
export interface ProofRetry {
  readonly nonce?: string;
}

/** How token requests bind the token to a key. */
export interface TokenBinding {
  readonly dpopProofs: DpopProofs;
  /** Whether a token that is not bound to the key is refused. */
  readonly only: boolean;
}
