import { describe, expect, test } from 'vitest';
import { decideStepUp, withUnion } from '../../../../src/auth/credential/step-up.ts';
import type { CredentialRecord } from '../../../../src/store/record/record.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function record(granted: string | undefined, change: Partial<CredentialRecord> = {}): CredentialRecord {
  const { tokens, requestedScope, ...rest } = wholeRecord;
  const { scope, ...bare } = tokens as NonNullable<CredentialRecord['tokens']>;
  return { ...rest, tokens: granted === undefined ? bare : { ...bare, scope: granted }, ...change };
}

describe('a 403 for insufficient scope', () => {
  test.each<[string, CredentialRecord, string]>([
    ['what was granted and what is wanted', record('a b'), 'a b w'],
    ['what was asked for too', record('a', { requestedScope: 'a x' }), 'a x w'],
    ['nothing was known', record(undefined), 'w'],
  ])('asks for the union: %s', (_, had, scope) => {
    expect(decideStepUp(had, 'w', NOW)).toEqual({ kind: 'ask', scope, stepUps: [NOW] });
  });

  test.each([undefined, ''])('requests nothing without a scope (%j)', (wanted) => {
    const had = wanted === undefined ? record('a') : record(undefined);
    expect(decideStepUp(had, wanted, NOW)).toMatchObject({
      kind: 'refuse',
      error: {
        message:
          wanted === undefined ? 'the server wants more scope, without naming it (403)' : expect.any(String),
        hint: 'Name the scope with --scope, and sign in again.',
      },
    });
  });

  test.each(['a', 'b a', 'a  b', 'b'])('does not request granted scopes again: %s', (wanted) => {
    const found = decideStepUp(record('a b'), wanted, NOW);
    expect(found).toMatchObject({
      kind: 'refuse',
      error: {
        code: 'scope_refused',
        message: expect.stringContaining('"https://as.example" has granted: "a b"'),
        hint: undefined,
      },
    });
    expect(found).toMatchObject({
      error: { message: expect.stringContaining('the server wants the scope "') },
    });
  });

  test('compares scopes as whole words', () => {
    const had = record('files:read files:write');
    expect(decideStepUp(had, 'files:write', NOW).kind).toBe('refuse');
    expect(decideStepUp(had, 'files', NOW).kind).toBe('ask');
  });

  test('requests the union if only half of it is granted', () => {
    expect(decideStepUp(record('a b'), 'b c', NOW)).toMatchObject({ kind: 'ask', scope: 'a b c' });
  });

  test('requests scopes again that were requested but not granted', () => {
    expect(decideStepUp(record(undefined, { requestedScope: 'a' }), 'a', NOW).kind).toBe('ask');
  });
});

describe('allows three sign-ins in ten minutes', () => {
  test.each<[string, number[], number[] | 'refuse']>([
    ['never', [], [NOW]],
    ['twice', [NOW - 2, NOW - 1], [NOW - 2, NOW - 1, NOW]],
    ['three times', [NOW - 3, NOW - 2, NOW - 1], 'refuse'],
    ['the third one in this moment', [NOW - 2, NOW - 1, NOW], 'refuse'],
    ['the first one ten minutes ago', [NOW - 10 * MINUTE, NOW - 2, NOW - 1], [NOW - 2, NOW - 1, NOW]],
    ['the first one a little later', [NOW - 10 * MINUTE + 1, NOW - 2, NOW - 1], 'refuse'],
    ['by a clock that was set back since', [NOW + 1, NOW + 2, NOW + 3], [NOW]],
  ])('%s', (_, stepUps, expected) => {
    const found = decideStepUp(record('a', { stepUps }), 'w', NOW);
    if (expected === 'refuse')
      expect(found).toMatchObject({
        kind: 'refuse',
        error: { message: expect.stringContaining('3 times in ten minutes'), hint: 'Try again later.' },
      });
    else expect(found).toEqual({ kind: 'ask', scope: 'a w', stepUps: expected });
  });
});

describe('a challenge to a grant without a sign-in', () => {
  const challenge = { scheme: 'Bearer', error: 'insufficient_scope', scope: 'w' };

  test.each<[string, CredentialRecord | undefined, string | undefined]>([
    ['what was granted', record('a'), 'a w'],
    [
      'what was asked for, where nothing is said of what was granted',
      record(undefined, { requestedScope: 'x' }),
      'x w',
    ],
    ['what was granted before what was asked for', record('a', { requestedScope: 'x' }), 'a w'],
    ['nothing', record(undefined), 'w'],
    ['no login', undefined, 'w'],
  ])('is widened by %s', (_, had, scope) => {
    expect(withUnion(challenge, had)).toEqual({ ...challenge, scope });
  });

  test('without a scope requests the previous one', () => {
    const { scope, ...bare } = challenge;
    expect(withUnion(bare, record('a'))).toEqual({ ...bare, scope: 'a' });
    expect(withUnion(bare, record(''))).toBe(bare);
  });

  test('for another reason keeps the scope', () => {
    const other = { ...challenge, error: 'invalid_token' };
    expect(withUnion(other, record('a'))).toBe(other);
    expect(withUnion({ scope: 'w' }, record('a'))).toEqual({ scope: 'w' });
  });

  test('a login without tokens has no granted scope', () => {
    const { tokens, requestedScope, ...rest } = wholeRecord;
    expect(withUnion(challenge, rest)).toBe(challenge);
    expect(decideStepUp(rest, 'w', NOW)).toEqual({ kind: 'ask', scope: 'w', stepUps: [NOW] });
  });
});
