import { plainText } from '../../protocol/quote.ts';
import { parseJson } from '../http/json.ts';

/** OpenID Connect Core §5.1, the most informative first. */
const CLAIMS = ['email', 'preferred_username', 'name', 'sub'] as const;

/** The account in the ID token. Only for display: its signature is not verified. */
export function accountOf(idToken: string | undefined): string | undefined {
  const [, payload] = idToken?.split('.') ?? [];
  if (payload === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  if (typeof claims !== 'object' || claims === null) return undefined;
  const known = new Map<string, unknown>(Object.entries(claims));
  const found = CLAIMS.map((name) => known.get(name)).find(
    (value) => typeof value === 'string' && value !== '',
  );
  return typeof found === 'string' ? plainText(found) : undefined;
}
