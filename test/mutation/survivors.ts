import { AUTH_SURVIVORS } from './survivors-auth.ts';
import { OTHER_SURVIVORS } from './survivors-other.ts';
import { PROTOCOL_SURVIVORS } from './survivors-protocol.ts';
import { REDACTION_SURVIVORS } from './survivors-redaction.ts';
import { STORE_SURVIVORS } from './survivors-store.ts';

/** Mutants that no test can or should notice, each with the reason; the run fails on any other survivor, and on a line here that is out of date. */
export interface Survivor {
  readonly file: string;
  /** The line as it stands in the source, without the space around it. */
  readonly line: string;
  /** What the mutants make of it. */
  readonly mutated: readonly string[];
  readonly reason: string;
}

export const SURVIVORS: readonly Survivor[] = [
  ...AUTH_SURVIVORS,
  ...PROTOCOL_SURVIVORS,
  ...REDACTION_SURVIVORS,
  ...STORE_SURVIVORS,
  ...OTHER_SURVIVORS,
];
