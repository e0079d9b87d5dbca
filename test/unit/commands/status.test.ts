import { describe, expect, test } from 'vitest';
import { statusOf, statusTable } from '../../../src/commands/status.ts';
import type { SignInStatus } from '../../../src/store/lease/sign-in-status.ts';
import type { CredentialOverview } from '../../../src/store/port/overview.ts';
import { tokenHash } from '../../../src/store/record/key.ts';
import type { CredentialRecord } from '../../../src/store/record/record.ts';
import { wholeRecord } from '../../peers/processes/credentials.ts';

const NOW = 1_800_000_000_000;
const { deadRefreshTokenHash: _, ...alive } = wholeRecord;
const idToken = `x.${Buffer.from(JSON.stringify({ sub: '1', email: 'ada@example.org\u202e\n' })).toString('base64url')}.x`;

const overview = (record: CredentialRecord, more: Partial<CredentialOverview> = {}): CredentialOverview => ({
  key: 'k',
  found: { kind: 'record', record },
  ...more,
});
const withTokens = (tokens: Partial<NonNullable<CredentialRecord['tokens']>>): CredentialRecord => ({
  ...alive,
  tokens: { ...(alive.tokens as NonNullable<CredentialRecord['tokens']>), ...tokens },
});
const only = (record: CredentialRecord) => statusOf([overview(record)], NOW, {})[0];

describe('the state', () => {
  const { client: __, ...withoutClient } = withTokens({ expiresAt: NOW - 1 });
  const { tokens: ___, ...withoutTokens } = alive;
  test.each<[string, CredentialRecord, string, boolean]>([
    ['a token that serves', alive, 'signed in', true],
    ['past its end', withTokens({ obtainedAt: NOW - 2, expiresAt: NOW - 1 }), 'expired, refreshable', true],
    [
      'past its end, and the refresh token is dead',
      {
        ...withTokens({ obtainedAt: NOW - 2, expiresAt: NOW - 1 }),
        deadRefreshTokenHash: tokenHash('refresh-token-canary'),
      },
      'sign-in needed',
      false,
    ],
    [
      'its client is forgotten',
      { ...withoutClient, tokens: { ...withoutClient.tokens, obtainedAt: NOW - 2 } as never },
      'sign-in needed',
      false,
    ],
    ['never signed in', withoutTokens, 'sign-in needed', false],
    [
      'expired, with a grant without a sign-in',
      {
        ...withoutClient,
        grant: 'jwt-bearer',
        tokens: { ...withoutClient.tokens, obtainedAt: NOW - 2 } as never,
      },
      'expired, renewable',
      false,
    ],
  ])('%s', (_, record, state, refreshable) => {
    expect(only(record)).toMatchObject({ state, refreshable });
  });
});

test('contains no secret in any form', () => {
  const statuses = statusOf([overview(withTokens({ idToken }))], NOW, {});
  for (const text of [JSON.stringify(statuses), statusTable(statuses, NOW)])
    expect(text).not.toMatch(/canary/);
});

test('shows the account from the ID token, made harmless for a terminal', () => {
  expect(only(withTokens({ idToken }))?.account).toBe('ada@example.org');
  expect(only(withTokens({ idToken: 'no.jwt' }))?.account).toBeUndefined();
});

test('prints a table of the logins, with the full address of a sign-in below', () => {
  const address = `https://as.example/authorize?state=${'x'.repeat(300)}`;
  const times = { startedAt: NOW, deadline: NOW + 90_000 };
  const signIn: SignInStatus = { phase: 'pending', nonce: 'n', pid: 7, address, ...times };
  const text = statusTable(
    statusOf([overview(alive, { signIn, lock: { pid: 9, heldForMs: 5 } })], NOW, {}),
    NOW,
  );
  const [heading = '', row = ''] = text.split('\n');
  expect(heading).not.toContain('ACCOUNT');
  for (const part of [
    'https://mcp.example/mcp',
    'signed in',
    'read write',
    '1 h',
    'process 9',
    'process 7, 1 min left',
  ]) {
    expect(row).toContain(part);
  }
  expect(text).toContain(address);
  expect(statusTable([], NOW)).toBe('No login.\n');
});

test('prints the code of a sign-in on another device, and the address where it is entered', () => {
  const codeAddress = 'https://as.example/device';
  const signIn: SignInStatus = {
    phase: 'pending',
    nonce: 'n',
    pid: 7,
    startedAt: NOW,
    deadline: NOW + 90_000,
    address: `${codeAddress}?c=AB\u001b[2J`,
    userCode: 'AB\u001b[2J',
    codeAddress,
  };
  const text = statusTable(statusOf([overview(alive, { signIn })], NOW, {}), NOW);
  expect(text).toContain(`open:\n${codeAddress}\nand enter the code: AB[2J\n`);
});

test('prints only the named server and profile', () => {
  const all = [
    overview(alive),
    overview({ ...alive, profile: 'work' }),
    overview({ ...alive, server: 'https://b.example/' }),
  ];
  const names = (filter: object) =>
    statusOf(all, NOW, filter).map(({ server, profile }) => `${server} ${profile}`);
  expect(names({})).toHaveLength(3);
  expect(names({ server: 'https://b.example/' })).toEqual(['https://b.example/ default']);
  expect(names({ profile: 'work' })).toEqual(['https://mcp.example/mcp work']);
});
