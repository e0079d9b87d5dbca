import type { OAuthSettings } from '../../protocol/oauth-settings.ts';
import { quote } from '../../protocol/quote.ts';
import { IssuerMismatchError } from '../errors/oauth-errors.ts';

export interface IssuerExpectation {
  /** The accepted spellings, byte for byte (RFC 8414 §3.3, .github/SECURITY.md, attack 6). */
  readonly issuers: readonly string[];
  /** From `--issuer`: this one and no other, wherever the metadata was found. `{tenantid}`: src/auth/README.md, "Entra ID". */
  readonly settings: Pick<OAuthSettings, 'issuer' | 'tenantIssuer'>;
}

/** Returns the issuer. Throws IssuerMismatchError: a client that accepts another issuer's metadata sends its codes there. */
export function checkIssuer(named: string, expectation: IssuerExpectation): string {
  const { issuer: onlyIssuer, tenantIssuer } = expectation.settings;
  const issuers = onlyIssuer === undefined ? expectation.issuers : [onlyIssuer];
  if (issuers.includes(named)) return named;
  const tenant = tenantIssuer ? issuers.find((each) => isTenantOf(each, named)) : undefined;
  if (tenant !== undefined) return tenant;
  if (onlyIssuer !== undefined) throw mismatch(named, `and --issuer accepts ${quote(onlyIssuer)} alone`);
  const [asked = ''] = issuers;
  throw mismatch(named, `expected ${quote(asked)}`, isSamePlace(named, asked) ? named : undefined);
}

function mismatch(named: string, expected: string, acceptable?: string): IssuerMismatchError {
  const whose = 'Both have to be identical; the operator of the server has to correct one of them.';
  // Suggested only for another spelling of the same address: anything else may be another party.
  const hint =
    acceptable === undefined
      ? whose
      : `${whose} To accept exactly this one, add --issuer ${quote(acceptable)}.`;
  return new IssuerMismatchError(
    `the authorization server metadata names the issuer ${quote(named)}, ${expected}`,
    { hint },
  );
}

/** The tenant is one path segment; the rest is the same. */
function isTenantOf(issuer: string, template: string): boolean {
  const [before = '', after, ...more] = template.split('{tenantid}');
  if (after === undefined || more.length > 0) return false;
  if (issuer.length <= before.length + after.length) return false;
  if (!issuer.startsWith(before) || !issuer.endsWith(after)) return false;
  return /^[\w.-]+$/.test(issuer.slice(before.length, issuer.length - after.length)) && /\/$/.test(before);
}

/** Differs only in the case of scheme or host, in a default port, or in trailing slashes. */
function isSamePlace(one: string, other: string): boolean {
  const place = (text: string) => (URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : undefined);
  return /^[\x21-\x7e]+$/.test(one) && place(one) !== undefined && place(one) === place(other);
}
