import type { CredentialRecord } from './record-schema.ts';

export type { Client, CredentialRecord, DpopKey, LastRefresh, Tokens } from './record-schema.ts';

/*
 * The files of one credential:
 *
 *   credentials/KEY.json                  the record below, 0600, replaced atomically by rename
 *   credentials/KEY.json.lock             the lock; it queues and decides nothing
 *   credentials/KEY.HASH.N.claim          a reservation of the refresh token with that SHA-256; made with O_EXCL, N from 1;
 *                                         touched while its owner lives
 *   credentials/KEY.HASH.N.answer         space for the record that will follow; its presence says "may have been sent"
 *   credentials/KEY.HASH.N.lost           the same after its owner stopped waiting for the response
 *   credentials/KEY.lease, .lease.lock    the sign-in under way, if any
 *   credentials/KEY.sign-in.json          its status: address, deadline, outcome; no secret
 *   credentials/KEY.corrupt-…             an unreadable record, set aside; the newest three, until logout
 *   servers/KEY.json                      the server's responses from last time; no secret
 */

/** A record as its writer passes it: the store adds the rest. */
export type NewRecord = Omit<CredentialRecord, 'revision' | 'version'>;

/** The record that a write replaces; `null`: there is none. */
export type Expected = Pick<CredentialRecord, 'revision' | 'family'> | null;

export function isExpected(stored: CredentialRecord | undefined, expected: Expected): boolean {
  return stored?.revision === expected?.revision && stored?.family === expected?.family;
}

/** Whose record is wanted: a file copied over another does not match (.github/SECURITY.md, attack 37). */
export interface RecordIdentity {
  readonly server: string;
  /** Only if the user set it. */
  readonly resource?: string | undefined;
}
