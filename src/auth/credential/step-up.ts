import { quote } from '../../protocol/quote.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import { cleanScope } from '../challenge/scope.ts';
import { ScopeRefusedError } from '../errors/errors.ts';

/** .github/SECURITY.md, attack 23: a server that is never satisfied must not make a person click forever. */
const MAX_PROMPTS = 3;
const WINDOW_MS = 10 * 60_000;

export type StepUp =
  /** Request this scope, which includes all that was requested before (MCP, Authorization → Step-Up Authorization Flow). */
  | { readonly kind: 'ask'; readonly scope: string; readonly stepUps: readonly number[] }
  | { readonly kind: 'refuse'; readonly error: ScopeRefusedError };

/** RFC 6750 §3.1: the token is valid, but not sufficient for this. */
function wantsScope({ error }: BearerChallenge): boolean {
  return error === 'insufficient_scope';
}

/** The reaction to a 403 for insufficient scope. */
export function decideStepUp(record: CredentialRecord, wanted: string | undefined, now: number): StepUp {
  const granted = record.tokens?.scope;
  const asked = record.requestedScope;
  const scope = cleanScope([granted, asked, wanted].filter((part) => part !== undefined).join(' '));
  const needed = `the server wants ${wanted === undefined ? 'more scope, without naming it' : `the scope ${quote(wanted)}`} (403)`;
  if (scope === undefined || wanted === undefined) {
    return refuse(`${needed}`, 'Name the scope with --scope, and sign in again.');
  }
  if (granted !== undefined && covers(granted, wanted)) {
    return refuse(`${needed}, which ${quote(record.issuer)} has granted: ${quote(granted)}`, undefined);
  }
  // A clock that was set back makes old times look recent for a while; times in the future are not counted.
  const recent = (record.stepUps ?? []).filter((at) => at <= now && now - at < WINDOW_MS);
  if (recent.length >= MAX_PROMPTS) {
    return refuse(`${needed}; a person was asked ${MAX_PROMPTS} times in ten minutes`, 'Try again later.');
  }
  return { kind: 'ask', scope, stepUps: [...recent, now] };
}

/** For a machine grant: the scope of the challenge together with that of the last token. */
export function withUnion(challenge: BearerChallenge, record: CredentialRecord | undefined): BearerChallenge {
  const had = record?.tokens?.scope ?? record?.requestedScope;
  if (!wantsScope(challenge) || had === undefined) return challenge;
  const scope = cleanScope(`${had} ${challenge.scope ?? ''}`);
  return scope === undefined ? challenge : { ...challenge, scope };
}

function covers(granted: string, wanted: string): boolean {
  const has = new Set(granted.split(' '));
  return (cleanScope(wanted) ?? '').split(' ').every((scope) => has.has(scope));
}

function refuse(message: string, hint: string | undefined): StepUp {
  return { kind: 'refuse', error: new ScopeRefusedError(message, { hint }) };
}
