import { ADDRESSES } from './properties/addresses.ts';
import { ANSWERS } from './properties/answers.ts';
import { CALLBACKS } from './properties/callbacks.ts';
import { CHALLENGES } from './properties/challenges.ts';
import { ENGINES } from './properties/engines.ts';
import { METADATA } from './properties/metadata.ts';
import { PROOFS } from './properties/proofs.ts';
import { RECORDS } from './properties/records.ts';
import { REDACTION } from './properties/redaction.ts';
import { REFUSALS } from './properties/refusals.ts';
import { STREAMS } from './properties/streams.ts';
import type { Property } from './property.ts';
import { VALUES } from './values.ts';

/** Everything that reads what others wrote. */
export const PROPERTIES: readonly Property[] = [
  ...CHALLENGES,
  ...METADATA,
  ...ANSWERS,
  ...CALLBACKS,
  ...STREAMS,
  ...REFUSALS,
  ...VALUES,
  ...RECORDS,
  ...PROOFS,
  ...ADDRESSES,
  ...REDACTION,
  ...ENGINES,
];
