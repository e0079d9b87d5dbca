import { createHash, createPublicKey, verify } from 'node:crypto';

/** What a request showed besides its token. */
export interface ShownProof {
  readonly method: string;
  /** As the client has to have addressed it. */
  readonly url: string;
  /** The `DPoP` header. */
  readonly proof: string | undefined;
  /** The access token that came with it, where one did. */
  readonly token?: string | undefined;
  /** The server's time. */
  readonly now: number;
}

export type CheckedProof =
  | { readonly kind: 'good'; readonly jkt: string; readonly jti: string; readonly nonce: string | undefined }
  | { readonly kind: 'bad'; readonly why: string };

/** RFC 9449 §11.1: a server's usual window. */
const WINDOW_S = 60;
const HASHES: Readonly<Record<string, string | null>> = {
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  EdDSA: null,
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

/** RFC 9449 §4.3, every step but the nonce and the repetition, which need a memory. */
export function checkProof({ method, url, proof, token, now }: ShownProof): CheckedProof {
  const bad = (why: string): CheckedProof => ({ kind: 'bad', why });
  if (proof === undefined) return bad('no proof');
  const parts = proof.split('.');
  if (parts.length !== 3) return bad('not one JWT');
  const [header, claims] = parts
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  if (header.typ !== 'dpop+jwt') return bad('typ');
  const hash = HASHES[header.alg];
  if (hash === undefined) return bad('alg');
  const { jwk } = header;
  if (typeof jwk !== 'object' || 'd' in jwk || 'p' in jwk || 'k' in jwk) return bad('jwk');
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
  const signed = Buffer.from(parts.slice(0, 2).join('.'));
  if (!verify(hash, signed, key, Buffer.from(parts[2] as string, 'base64url'))) return bad('signature');
  if (typeof claims.jti !== 'string' || Buffer.from(claims.jti, 'base64url').length < 12) return bad('jti');
  if (claims.htm !== method) return bad('htm');
  if (claims.htu !== url.split(/[?#]/)[0]) return bad(`htu ${claims.htu}`);
  if (!Number.isInteger(claims.iat) || Math.abs(claims.iat - now / 1000) > WINDOW_S) return bad('iat');
  if (claims.ath !== (token === undefined ? undefined : sha256(token))) return bad('ath');
  const { crv, kty, x, y } = jwk;
  return {
    kind: 'good',
    jkt: sha256(JSON.stringify({ crv, kty, x, y })),
    jti: claims.jti,
    nonce: claims.nonce,
  };
}
