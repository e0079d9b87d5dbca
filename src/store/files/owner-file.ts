import * as z from 'zod/mini';
import type { Immutable } from '../../protocol/oauth-settings.ts';

const text = z.string().check(z.maxLength(512));

/** A process, as `Owner` describes it. */
export const ownerSchema = z.object({
  host: text,
  bootId: z.optional(text),
  pidNamespace: z.optional(text),
  pid: z.int().check(z.positive()),
  startTime: z.optional(text),
});

const ownedFile = z.object({
  nonce: text,
  owner: ownerSchema,
  /** Leases only. Milliseconds since the epoch. */
  deadline: z.optional(z.number()),
  /** Leases that the requesting process still holds for the sign-in process that it starts. Milliseconds since the epoch. */
  adoptBy: z.optional(z.number()),
  /** Reservations only: the owner touches the file while it lives. */
  heartbeat: z.optional(z.boolean()),
});

/** A file that names the process that owns it: a reservation or a lease. */
export type OwnedFile = Immutable<z.output<typeof ownedFile>>;

/** Reads the bytes of such a file; undefined if they are invalid. */
export function parseOwned(bytes: Uint8Array): OwnedFile | undefined {
  try {
    return ownedFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
