import { withoutUndefined } from '../../platform/without-undefined.ts';
import { quote } from '../../protocol/quote.ts';
import { MAX_TOKEN_CHARS } from '../../store/record/record-schema.ts';
import { cleanScope } from '../challenge/scope.ts';
import { parseJson } from '../http/json.ts';

export interface TokenAnswer {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  /** Absent: the server did not say, or said 0, which makes no sense for a token; then it is used until a 401. */
  readonly expiresInSeconds?: number;
  readonly refreshToken?: string;
  readonly scope?: string;
  readonly idToken?: string;
  /** RFC 8693 §2.2.1. */
  readonly issuedTokenType?: string;
}

export type ReadAnswer =
  | { readonly kind: 'tokens'; readonly answer: TokenAnswer }
  | { readonly kind: 'error'; readonly oauthError?: string; readonly description?: string }
  | { readonly kind: 'unusable'; readonly reason: string };

/** Ten years: `expires_in: 1e99` overflows dates (.github/SECURITY.md, attack 25). */
const MAX_LIFETIME_SECONDS = 10 * 365 * 24 * 60 * 60;
/** Visible ASCII: CR, LF or space in a token would make a second header or credential. */
const TOKEN = /^[\x21-\x7e]+$/;
/** RFC 6749 §5.2, without the space, which it allows but no server uses. */
const ERROR_CODE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

type Fields = ReadonlyMap<string, unknown>;

/** Reads the body of a token endpoint's response, whatever its status: RFC 6749 §5.1, §5.2, and the variants of real servers. */
export function readTokenAnswer(status: number, text: string, types = BEARER_TYPES): ReadAnswer {
  const fields = readFields(text);
  if (fields === undefined) return { kind: 'unusable', reason: 'an answer that is neither JSON nor a form' };
  const error = fields.get('error');
  const saysError = error !== undefined && error !== null && error !== '';
  // Slack answers errors with 200.
  const failed = status < 200 || status > 299 || saysError || fields.get('ok') === false;
  return failed ? { kind: 'error', ...readError(fields) } : readTokens(fields, types);
}

/** JSON, or the form encoding that GitHub uses. A map: no name in it can reach a prototype (.github/SECURITY.md, attack 18). */
function readFields(text: string): Fields | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    const fields = parseJson(trimmed);
    return typeof fields === 'object' && fields !== null ? new Map(Object.entries(fields)) : undefined;
  }
  if (!/^[A-Za-z_]+=[^<>\s]*$/.test(trimmed)) return undefined;
  return new Map(new URLSearchParams(trimmed));
}

/** The fields with a server's reason: RFC 6749, and the variants of Supabase, Datadog and others. */
const DESCRIPTIONS = ['error_description', 'message', 'msg', 'errors', 'detail'];

function readError(fields: Fields): { oauthError?: string; description?: string } {
  const error = fields.get('error');
  const code = typeof error === 'string' && ERROR_CODE.test(error) ? error : undefined;
  const described = DESCRIPTIONS.map((name) => textIn(fields.get(name))).find(isText);
  const description = described ?? (code === undefined ? textIn(error) : undefined);
  return withoutUndefined({ oauthError: code, description });
}

function readTokens(fields: Fields, types: RegExp): ReadAnswer {
  const accessToken = fields.get('access_token');
  if (!isText(accessToken)) return unusable('an answer without an access token');
  if (!isToken(accessToken)) return unusable('an access token with invalid characters');
  const tokenType = fields.get('token_type');
  if (!isUsableType(tokenType, types)) {
    // Not every JSON value can be converted to a string: `{"toString": 1}` cannot, nor a value nested deeper than the stack.
    const named = typeof tokenType === 'object' ? 'object' : String(tokenType);
    return unusable(`a token of the type ${quote(named)}, which this program cannot use`);
  }
  const refreshToken = fields.get('refresh_token');
  if (isText(refreshToken) && !isToken(refreshToken)) {
    return unusable('a refresh token with invalid characters');
  }
  const expiresInSeconds = readLifetime(fields.get('expires_in'));
  const scope = readScope(fields.get('scope'));
  const idToken = fields.get('id_token');
  const issuedTokenType = fields.get('issued_token_type');
  return {
    kind: 'tokens',
    answer: {
      accessToken,
      tokenType: typeof tokenType === 'string' && /^dpop$/i.test(tokenType) ? 'DPoP' : 'Bearer',
      ...withoutUndefined({
        expiresInSeconds,
        refreshToken: isText(refreshToken) ? refreshToken : undefined,
        scope,
        idToken: isText(idToken) && isToken(idToken) ? idToken : undefined,
        issuedTokenType: isText(issuedTokenType) ? issuedTokenType : undefined,
      }),
    },
  };
}

/** Any spelling of `bearer`; Slack calls a person's token `user`. */
const BEARER_TYPES = /^(bearer|user)$/i;

/** For a request with a proof (RFC 9449 §5): bound, or stated not to be. */
export const ANY_TYPES = /^(dpop|bearer|user)$/i;
export const BOUND_TYPES = /^dpop$/i;

/** Without a type it is a bearer token: a bound one has to be declared. */
function isUsableType(type: unknown, types: RegExp): boolean {
  if (type === undefined || type === null || type === '') return types !== BOUND_TYPES;
  return typeof type === 'string' && types.test(type);
}

function readLifetime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) return undefined;
  const clamped = Math.floor(Math.min(Math.max(seconds, 0), MAX_LIFETIME_SECONDS));
  return clamped === 0 ? undefined : clamped;
}

function readScope(value: unknown): string | undefined {
  if (Array.isArray(value)) return cleanScope(value.filter(isText).join(' '));
  return isText(value) ? cleanScope(value) : undefined;
}

function isToken(text: string): boolean {
  return text.length <= MAX_TOKEN_CHARS && TOKEN.test(text);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A string, or the first one in an object or a list, as in `{"error": {"message": "…"}}` and `{"errors": ["…"]}`. */
function textIn(value: unknown): string | undefined {
  if (isText(value)) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.values(value).find(isText);
}

function unusable(reason: string): ReadAnswer {
  return { kind: 'unusable', reason };
}
