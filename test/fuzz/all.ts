import { ADDRESSES } from './addresses.ts';
import { ANSWERS } from './answers.ts';
import { CALLBACKS } from './callbacks.ts';
import { CHALLENGES } from './challenges.ts';
import { ENGINES } from './engines.ts';
import { METADATA } from './metadata.ts';
import { PROOFS } from './proofs.ts';
import type { Property } from './property.ts';
import { RECORDS } from './records.ts';
import { REDACTION } from './redaction.ts';
import { STREAMS } from './streams.ts';
import { VALUES } from './values.ts';

/** Everything that reads what others wrote. */
export const PROPERTIES: readonly Property[] = [
  ...CHALLENGES,
  ...METADATA,
  ...ANSWERS,
  ...CALLBACKS,
  ...STREAMS,
  ...VALUES,
  ...RECORDS,
  ...PROOFS,
  ...ADDRESSES,
  ...REDACTION,
  ...ENGINES,
];
