import { describe, expect, test } from 'vitest';
import { checkIssuer, type IssuerExpectation } from '../../../../src/auth/discovery/issuer.ts';
import { IssuerMismatchError } from '../../../../src/auth/errors/oauth-errors.ts';

const asked = 'https://as.example/tenant';

function refusal(named: string, change: Partial<IssuerExpectation> = {}): IssuerMismatchError {
  try {
    checkIssuer(named, { issuers: [asked], ...change });
  } catch (error) {
    if (error instanceof IssuerMismatchError) return error;
    throw error;
  }
  throw new Error(`${named} was accepted`);
}

describe('without --issuer', () => {
  test('the same bytes', () => {
    expect(checkIssuer(asked, { issuers: [asked] })).toBe(asked);
  });

  test.each([
    `${asked}/`,
    'HTTPS://as.example/tenant',
    'https://AS.example/tenant',
    'https://as.example:443/tenant',
  ])('%s is refused, and the option that accepts exactly this is named', (named) => {
    expect(refusal(named).hint).toContain(`--issuer "${named}"`);
  });

  test.each([
    'https://evil.example/tenant',
    'https://as.example/other',
    'http://as.example/tenant',
    'no URL',
    '',
  ])('%s is refused, and nobody is told how to accept it', (named) => {
    expect(refusal(named).hint).not.toContain('--issuer');
  });
});

describe('with --issuer', () => {
  const onlyIssuer = `${asked}/`;

  test('exactly that one', () => {
    expect(checkIssuer(onlyIssuer, { issuers: [asked], onlyIssuer })).toBe(onlyIssuer);
  });

  test.each([asked, `${asked}//`, 'https://evil.example/'])('%s is refused by name', (named) => {
    expect(refusal(named, { onlyIssuer }).message).toContain(`--issuer accepts "${onlyIssuer}" alone`);
  });
});

describe('{tenantid}', () => {
  const issuers = ['https://login.example/contoso.com/v2.0'];

  test('stands for the tenant that was asked for, which is the issuer then', () => {
    const named = 'https://login.example/{tenantid}/v2.0';
    expect(checkIssuer(named, { issuers, tenantIssuer: true })).toBe(issuers[0]);
  });

  test.each([
    'https://evil.example/{tenantid}/v2.0',
    'https://{tenantid}/v2.0',
    'https://login.example/{tenantid}',
    'https://login.example/{tenantid}/{tenantid}',
    '{tenantid}',
  ])('%s is something else', (named) => {
    expect(refusal(named, { issuers, tenantIssuer: true })).toBeInstanceOf(IssuerMismatchError);
  });

  test('only where the preset says so', () => {
    expect(refusal('https://login.example/{tenantid}/v2.0', { issuers })).toBeInstanceOf(IssuerMismatchError);
  });
});
