import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';

export interface IssuedToken {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience: string | undefined;
  readonly grantId: string | undefined;
  /** RFC 9449 §6: the key that it is bound to. */
  readonly jkt?: string | undefined;
  /** Exact, where servers count whole seconds: a token of 2 s lives 2 s, not something between 1 and 2. */
  readonly expiresAt: number;
}

/** The access tokens that were handed out, as the resource server looks them up. */
export class IssuedTokens implements OAuthTokenVerifier {
  readonly #issued = new Map<string, IssuedToken>();
  readonly #revoked = new Set<string>();

  add(token: IssuedToken): void {
    this.#issued.set(token.token, token);
  }

  get all(): readonly IssuedToken[] {
    return [...this.#issued.values()];
  }

  get newest(): IssuedToken | undefined {
    return this.all.at(-1);
  }

  revoke(token: string): void {
    this.#revoked.add(token);
  }

  revokeAll(): void {
    for (const token of this.#issued.keys()) this.#revoked.add(token);
  }

  revokeGrant(grantId: string): void {
    for (const issued of this.#issued.values()) {
      if (issued.grantId === grantId) this.#revoked.add(issued.token);
    }
  }

  isGood(token: string): boolean {
    const issued = this.#issued.get(token);
    return issued !== undefined && !this.#revoked.has(token) && issued.expiresAt > Date.now();
  }

  verifyAccessToken = async (token: string): Promise<AuthInfo> => {
    const issued = this.#issued.get(token);
    if (issued === undefined) throw new InvalidTokenError('unknown token');
    if (this.#revoked.has(token)) throw new InvalidTokenError('token was revoked');
    if (issued.expiresAt <= Date.now()) throw new InvalidTokenError('token has expired');
    return {
      token,
      clientId: issued.clientId,
      scopes: [...issued.scopes],
      expiresAt: issued.expiresAt / 1000,
      ...(issued.audience === undefined ? {} : { resource: new URL(issued.audience) }),
    };
  };
}
