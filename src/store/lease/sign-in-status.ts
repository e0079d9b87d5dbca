import * as z from 'zod/mini';
import type { Immutable } from '../../protocol/oauth-settings.ts';

const text = z.string().check(z.maxLength(16 * 1024));

/** The schema of `SignInStatus`. */
export const signInStatusSchema = z.object({
  phase: z.enum(['starting', 'pending', 'failed', 'done']),
  /** The lease's nonce, which distinguishes this sign-in from an earlier one. */
  nonce: text,
  pid: z.int(),
  /** The machine of that process. */
  host: z.optional(text),
  /** The server and profile, for the `status` command. */
  server: z.optional(text),
  profile: z.optional(text),
  startedAt: z.number(),
  deadline: z.number(),
  /** To be opened by the person. */
  address: z.optional(text),
  /** To be entered there (RFC 8628). */
  userCode: z.optional(text),
  /** Where it is typed in, when `address` holds it already. */
  codeAddress: z.optional(text),
  /** When a browser was opened, by this sign-in or by an earlier one without a result; 0: none could be opened. */
  browserOpenedAt: z.optional(z.number()),
  /** When earlier sign-ins, whose process was killed, opened browsers that did not time out. Oldest first. */
  killedBrowsers: z.optional(z.array(z.number())),
  error: z.optional(z.object({ code: text, message: text, hint: z.optional(text) })),
});

/** The progress of a sign-in, for every process that waits for it; contains no secret. Times are milliseconds since the epoch. */
export type SignInStatus = Immutable<z.output<typeof signInStatusSchema>>;

/** Reads the bytes of the status file; undefined if they are invalid. */
export function parseSignInStatus(bytes: Uint8Array): SignInStatus | undefined {
  try {
    return signInStatusSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
