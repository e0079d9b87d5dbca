import type { CredentialCell, State } from '../../../../src/store/shared/protocol/cell.ts';
import type { Decision, Moment, Refusal } from '../../../../src/store/shared/protocol/decisions.ts';
import { wholeRecord } from '../../../peers/processes/credentials.ts';

export const HASH = 'hash';

/** The engine at a time by its clock, in the epoch of `start` unless another is given. */
export const at = (now: number, epoch = 'e1'): Moment => ({ now, epoch });

/** A process. */
export const me = (nonce: string) => ({ nonce, owner: { host: nonce, pid: 1 } });

export const rank = { login: 5, generation: 3, request: 2 };
export const state = { content: { kind: 'record', record: wholeRecord }, rank } satisfies State;

/** A cell with a login and nothing else. */
export const start: CredentialCell = { version: 1, state, epoch: { id: 'e1', since: 0 } };

/** A cell from which a login was removed. */
export const removed = (family = 'family-1'): CredentialCell => ({
  ...start,
  state: { content: { kind: 'removed', family }, rank: { login: 6, generation: 0, request: 0 } },
});

export const refused = (reason: Refusal): Decision => ({ kind: 'refused', reason });
export const AS_IS: Decision = { kind: 'as-is' };
export const put = (cell: CredentialCell): Decision => ({ kind: 'put', cell });

/** The cell that is to be put; throws for any other decision. */
export function cellOf(decision: Decision): CredentialCell {
  if (decision.kind !== 'put') throw new Error(JSON.stringify(decision));
  return decision.cell;
}
