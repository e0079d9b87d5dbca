import * as z from 'zod/mini';
import type { Owner } from '../../platform/process/process-identity.ts';

const text = z.string().check(z.maxLength(512));

const ownedFile = z.object({
  nonce: text,
  owner: z.object({
    host: text,
    bootId: z.optional(text),
    pidNamespace: z.optional(text),
    pid: z.int().check(z.positive()),
    startTime: z.optional(text),
  }),
  deadline: z.optional(z.number()),
  adoptBy: z.optional(z.number()),
  heartbeat: z.optional(z.boolean()),
});

/** A file that names the process that owns it: a reservation or a lease. */
export interface OwnedFile {
  readonly nonce: string;
  readonly owner: Owner;
  /** Leases only. Milliseconds since the epoch. */
  readonly deadline?: number;
  /** Leases that the asking process still holds for the sign-in process that it starts. Milliseconds since the epoch. */
  readonly adoptBy?: number;
  /** Claims only: its owner touches the file for as long as it lives. */
  readonly heartbeat?: boolean;
}

export function parseOwned(bytes: Uint8Array): OwnedFile | undefined {
  try {
    return ownedFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))) as OwnedFile;
  } catch {
    return undefined;
  }
}
