import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { ConfigError } from '../../errors.ts';
import { quote } from '../../protocol/quote.ts';

/** Clocks that differ by more can make a signed assertion or proof invalid (RFC 9449 §11.1); by less is not what a server minds. */
export const MIN_SKEW_MS = 30_000;

/** A private key that signs JWTs (RFC 7515), read from PEM or JWK. */
export interface SigningKey {
  readonly alg: string;
  readonly kid?: string | undefined;
  readonly key: KeyObject;
}

/** RFC 7518 §3.4: each curve with its hash. */
const CURVE_ALGS = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
]);

/** Throws ConfigError; no message contains any of the text, which is the key. */
export function readSigningKey(text: string, wantedAlg?: string, option = '--client-key'): SigningKey {
  const { key, kid, alg } = parseKey(text, option);
  const fitting = algsFor(key);
  const chosen = wantedAlg ?? alg ?? fitting[0];
  if (chosen === undefined || !fitting.includes(chosen)) {
    const what = chosen === undefined ? 'any algorithm' : quote(chosen);
    throw new ConfigError(`${option}: the key cannot be used with ${what}; it fits ${fitting.join(', ')}`);
  }
  return { alg: chosen, key, kid };
}

function parseKey(
  text: string,
  option: string,
): { key: KeyObject; kid?: string | undefined; alg?: string | undefined } {
  const refuse = () =>
    new ConfigError(`${option}: expected an unencrypted private key as PEM (PKCS #8) or as one JWK`);
  const trimmed = text.trim();
  try {
    if (!trimmed.startsWith('{')) return { key: createPrivateKey(trimmed) };
    const jwk = JSON.parse(trimmed);
    const { kid, alg } = jwk;
    return {
      key: createPrivateKey({ key: jwk, format: 'jwk' }),
      kid: typeof kid === 'string' ? kid : undefined,
      alg: typeof alg === 'string' ? alg : undefined,
    };
  } catch {
    // The cause is left out: parsers quote what they could not read.
    throw refuse();
  }
}

/** The first is the default. */
function algsFor(key: KeyObject): readonly string[] {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const alg = CURVE_ALGS.get(key.asymmetricKeyDetails?.namedCurve ?? '');
      return alg === undefined ? [] : [alg];
    }
    case 'rsa':
      return ['RS256', 'PS256', 'RS384', 'RS512', 'PS384', 'PS512'];
    case 'ed25519':
      return ['EdDSA'];
    default:
      return [];
  }
}

/** RFC 7515 §3.1, compact. */
export function signJwt(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  { alg, key }: SigningKey,
): string {
  const input = [{ alg, ...header }, claims].map(encode).join('.');
  return `${input}.${signature(Buffer.from(input), alg, key).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function signature(input: Buffer, alg: string, key: KeyObject): Buffer {
  if (alg === 'EdDSA') return sign(null, input, key);
  const hash = `sha${alg.slice(2)}`;
  // RFC 7518 §3.4: R and S one after the other, not DER; §3.5: salt as long as the hash.
  if (alg.startsWith('ES')) return sign(hash, input, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return sign(hash, input, key);
  const [RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST] = [6, -1];
  return sign(hash, input, { key, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST });
}
