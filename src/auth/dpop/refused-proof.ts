import type { DpopMode } from '../../protocol/oauth-settings.ts';
import type { CredentialRecord } from '../../store/record/record.ts';
import type { Bearer } from '../authorization.ts';
import { bearerChallenge } from '../challenge/challenge.ts';
import { DpopError } from '../errors/errors.ts';
import { hintOf } from '../errors/hints.ts';
import { proofError } from './proof.ts';

/**
 * A proof that was refused, and the one that was made anew after it (RFC 9449 §9): the token is as good as before, so that neither a
 * refresh nor a sign-in would help. Undefined: the 401 is about something else.
 */
export function refusedProof(wwwAuthenticate: string | undefined): DpopError | undefined {
  const headers = wwwAuthenticate === undefined ? {} : { 'www-authenticate': wwwAuthenticate };
  const error = proofError({ status: 401, headers });
  if (error === undefined) return undefined;
  return new DpopError(`the server refuses the proof that goes with the token (401 ${error})`, hintOf(error));
}

export interface Unbound {
  readonly refused: Bearer | undefined;
  readonly wwwAuthenticate: string | undefined;
  readonly mode: DpopMode | undefined;
  readonly record: CredentialRecord | undefined;
}

/** A login without a key, at a server that by now takes no other: a refresh would bring what was just refused. */
export function needsDpopLogin({ refused, wwwAuthenticate, mode, record }: Unbound): boolean {
  if (refused === undefined || refused.dpopProofs !== undefined || mode === 'never') return false;
  if (record?.dpopKey !== undefined || record?.withoutDpop === true) return false;
  return bearerChallenge(wwwAuthenticate).dpop !== undefined;
}
