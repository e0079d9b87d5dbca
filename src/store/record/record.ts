import type { CredentialRecord } from './record-schema.ts';

export type { Client, CredentialRecord, DpopKey, LastRefresh, Tokens } from './record-schema.ts';

/*
 * What is on disk, per credential:
 *
 *   credentials/KEY.json                  the record below, 0600, replaced whole by rename
 *   credentials/KEY.json.lock             the lock; it queues and decides nothing
 *   credentials/KEY.HASH.N.claim          a reservation of the refresh token with that SHA-256; made with O_EXCL, N from 1;
 *                                         touched for as long as its owner lives
 *   credentials/KEY.HASH.N.answer         room for the record that will follow; its presence says "may have been sent"
 *   credentials/KEY.HASH.N.lost           the same after its owner gave up waiting for the answer
 *   credentials/KEY.lease, .lease.lock    the sign-in that is going on, if any
 *   credentials/KEY.sign-in.json          its status: address, deadline, outcome; no secret
 *   credentials/KEY.corrupt-…             a record that could not be read, set aside; the newest three, until logout
 *   servers/KEY.json                      what the server answered last time; no secret
 */

/** A record as its writer has it: the store adds the rest. */
export type NewRecord = Omit<CredentialRecord, 'revision' | 'version'>;

/** The record that a write replaces; `null`: there is none. */
export type Expected = Pick<CredentialRecord, 'revision' | 'family'> | null;

export function isExpected(stored: CredentialRecord | undefined, expected: Expected): boolean {
  return stored?.revision === expected?.revision && stored?.family === expected?.family;
}

/** Whose record is looked for: a file copied over another is not it (.github/SECURITY.md, attack 37). */
export interface RecordIdentity {
  readonly server: string;
  /** Only where the user set it. */
  readonly resource?: string | undefined;
}
