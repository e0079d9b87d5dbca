import type { DpopMode } from '../../protocol/oauth-settings.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import { DpopError } from '../errors/errors.ts';
import { hintOf } from '../errors/hints.ts';
import { isProofError } from './proof.ts';

/**
 * A proof that was refused, and so was the one created in its place (RFC 9449 §9): the token is as good as before, so neither a refresh nor a sign-in would
 * help. Undefined: the 401 has another reason.
 */
export function refusedProof(challenge: BearerChallenge | undefined): DpopError | undefined {
  const error = challenge?.dpopError;
  if (error === undefined || !isProofError(error)) return undefined;
  return new DpopError(`the server refuses the proof sent with the token (401 ${error})`, hintOf(error));
}

export interface DpopLoginInputs {
  readonly refused: Bearer | undefined;
  readonly challenge: BearerChallenge | undefined;
  readonly mode: DpopMode | undefined;
  readonly record: CredentialRecord | undefined;
}

/** A login without a key, at a server that now requires one: a refresh would return a token of the kind that was just refused. */
export function needsDpopLogin({ refused, challenge, mode, record }: DpopLoginInputs): boolean {
  if (refused === undefined || refused.dpopProofs !== undefined || mode === 'never') return false;
  if (record?.dpopKey !== undefined || record?.withoutDpop === true) return false;
  return challenge?.dpop !== undefined;
}
