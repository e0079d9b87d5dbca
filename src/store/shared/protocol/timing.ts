/** The waits of the protocol, in milliseconds. A cell's times are the engine's; waits of one process are by its monotonic clock. */
export interface Timing {
  /** A hold that was not renewed for this long is free: its process was killed, suspended or cut off. It only queues and decides nothing. */
  readonly holdMs: number;
  /** How often its process renews it: two may fail. */
  readonly renewMs: number;
  /** A reservation becomes "may be sent" within milliseconds, or never because its process is gone. */
  readonly reservationMs: number;
  /** From "may be sent" to the first byte of the request. A process that took longer was suspended, and does not send. */
  readonly sendWindowMs: number;
  /** A token that may have been sent is left alone for this long. The request ends 35 s after its reservation; the rest is for a response that cannot be put. */
  readonly spentMs: number;
  /** After the engine may have lost reservations nobody reserves a token for this long: as long as a request of a lost reservation may run (5 s + 30 s), and a margin. */
  readonly quarantineMs: number;
  /** A sign-in without a sign of life for this long is over: three heartbeats. */
  readonly leaseMs: number;
  /** A cell in which no login was ever stored is kept for this long after its last change: longer than any hold that is renewed. */
  readonly emptyMs: number;
  /** A removed login is remembered for this long: longer than a process that still knows its token may be away. */
  readonly tombstoneMs: number;
  /** How long an engine may take to say whether it is the primary. */
  readonly primaryMs: number;
  /** How long an engine may take to say whether the response survives a failover. */
  readonly settledMs: number;
  /** The pause between two reads by a waiting process that also gets notifications; it varies by as much again. */
  readonly turnMs: number;
  /** The same while it waits for a person to sign in. */
  readonly signInTurnMs: number;
  /** The pauses between attempts to reach an engine that is away. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** How long an exiting process stays for a response that is not stored yet. */
  readonly closeGraceMs: number;
}

export const TIMING: Timing = {
  holdMs: 10_000,
  renewMs: 3_000,
  reservationMs: 10_000,
  sendWindowMs: 5_000,
  spentMs: 120_000,
  quarantineMs: 45_000,
  leaseMs: 15_000,
  emptyMs: 60_000,
  tombstoneMs: 90 * 24 * 60 * 60_000,
  primaryMs: 1_500,
  settledMs: 500,
  turnMs: 1_000,
  signInTurnMs: 4_500,
  retryMinMs: 200,
  retryMaxMs: 3_000,
  closeGraceMs: 10_000,
};
