import { CHALLENGE_REASONS } from './challenge-reasons.ts';
import { DOCUMENT_REASONS } from './document-reasons.ts';
import type { Reason } from './reason.ts';

/** Every difference between us and the libraries, with its reason. */
export const REASONS: readonly Reason[] = [...DOCUMENT_REASONS, ...CHALLENGE_REASONS];
