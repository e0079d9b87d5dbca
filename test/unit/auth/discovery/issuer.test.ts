import { describe, expect, test } from 'vitest';
import { checkIssuer, type IssuerExpectation } from '../../../../src/auth/discovery/issuer.ts';
import { IssuerMismatchError } from '../../../../src/auth/errors/oauth-errors.ts';

const asked = 'https://as.example/tenant';

/** What the options and the preset say. */
const plain = { tenantIssuer: false };

function refusal(named: string, change: Partial<IssuerExpectation> = {}): IssuerMismatchError {
  try {
    checkIssuer(named, { issuers: [asked], settings: plain, ...change });
  } catch (error) {
    if (error instanceof IssuerMismatchError) return error;
    throw error;
  }
  throw new Error(`${named} was accepted`);
}

describe('without --issuer', () => {
  test('the same bytes', () => {
    expect(checkIssuer(asked, { issuers: [asked], settings: plain })).toBe(asked);
  });

  test.each([
    `${asked}/`,
    'HTTPS://as.example/tenant',
    'https://AS.example/tenant',
    'https://as.example:443/tenant',
    `${asked}//`,
  ])('refuses %s, and names the option that accepts exactly this', (named) => {
    expect(refusal(named).hint).toContain(`--issuer "${named}"`);
  });

  test.each([
    'https://evil.example/tenant',
    'https://as.example/other',
    'http://as.example/tenant',
    'no URL',
    '',
    ` ${asked}`,
    `${asked} `,
    `${asked}/ä`,
  ])('refuses %j, and suggests no option that accepts it', (named) => {
    expect(refusal(named).hint).not.toContain('--issuer');
  });
});

test('names what was expected, if known', () => {
  expect(refusal('https://evil.example').message).toContain(`expected "${asked}"`);
  expect(refusal('https://evil.example', { issuers: [] }).message).toContain('expected ""');
  const { hint } = refusal('no-address', { issuers: ['no-other-address'] });
  expect(hint).toContain('have to be identical');
  expect(hint).not.toContain('--issuer');
});

describe('with --issuer', () => {
  const issuer = `${asked}/`;
  const settings = { ...plain, issuer };

  test('accepts exactly that one', () => {
    expect(checkIssuer(issuer, { issuers: [asked], settings })).toBe(issuer);
  });

  test.each([asked, `${asked}//`, 'https://evil.example/'])('refuses %s by name', (named) => {
    expect(refusal(named, { settings }).message).toContain(`--issuer accepts "${issuer}" alone`);
  });
});

describe('{tenantid}', () => {
  const issuers = ['https://login.example/contoso.com/v2.0'];

  test('stands for the requested tenant, which becomes the issuer', () => {
    const named = 'https://login.example/{tenantid}/v2.0';
    expect(checkIssuer(named, { issuers, settings: { tenantIssuer: true } })).toBe(issuers[0]);
  });

  test.each([
    'https://evil.example/{tenantid}/v2.0',
    'https://{tenantid}/v2.0',
    'https://login.example/{tenantid}',
    'https://login.example/{tenantid}/{tenantid}',
    '{tenantid}',
    'https://log1n.example/{tenantid}/v2.0',
    'https://login.example/{tenantid}/v3.0',
    'https://login.example/con{tenantid}/v2.0',
    'https://login.example/{tenantid}v2.0',
  ])('does not stand for %s', (named) => {
    expect(refusal(named, { issuers, settings: { tenantIssuer: true } })).toBeInstanceOf(IssuerMismatchError);
  });

  test.each([
    ['https://login.example/v2.0', 'https://login.example/{tenantid}/v2.0'],
    ['https://login.example//v2.0', 'https://login.example/{tenantid}/v2.0'],
    ['https://login.example/a/b/v2.0', 'https://login.example/{tenantid}/v2.0'],
    ['https://login.example/contoso.com/', 'https://login.example/{tenantid}/{tenantid}'],
    ['https://login.example/undefined', 'https://login.example/'],
  ])('%s is not a tenant of %s', (issuer, named) => {
    expect(refusal(named, { issuers: [issuer], settings: { tenantIssuer: true } })).toBeInstanceOf(
      IssuerMismatchError,
    );
  });

  test('applies only if the preset says so', () => {
    expect(refusal('https://login.example/{tenantid}/v2.0', { issuers })).toBeInstanceOf(IssuerMismatchError);
  });
});
