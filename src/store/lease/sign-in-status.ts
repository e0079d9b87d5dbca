import * as z from 'zod/mini';

const text = z.string().check(z.maxLength(16 * 1024));

const status = z.object({
  phase: z.enum(['starting', 'pending', 'failed', 'done']),
  nonce: text,
  pid: z.int(),
  server: z.optional(text),
  profile: z.optional(text),
  startedAt: z.number(),
  deadline: z.number(),
  address: z.optional(text),
  userCode: z.optional(text),
  codeAddress: z.optional(text),
  browserOpenedAt: z.optional(z.number()),
  killedBrowsers: z.optional(z.array(z.number())),
  error: z.optional(z.object({ code: text, message: text, hint: z.optional(text) })),
});

/** How a sign-in goes, for every process that waits for it; holds no secret. Times are milliseconds since the epoch. */
export interface SignInStatus {
  readonly phase: 'starting' | 'pending' | 'failed' | 'done';
  /** The lease's nonce, which tells this sign-in from an earlier one. */
  readonly nonce: string;
  readonly pid: number;
  /** The server and profile, for the `status` command. */
  readonly server?: string;
  readonly profile?: string;
  readonly startedAt: number;
  readonly deadline: number;
  /** To be opened by the person. */
  readonly address?: string;
  /** To be entered there (RFC 8628). */
  readonly userCode?: string;
  /** Where it is typed in, when `address` holds it already. */
  readonly codeAddress?: string;
  /** By this sign-in, or before it for nothing. */
  readonly browserOpenedAt?: number;
  /** When browsers were opened by sign-ins before it whose process was killed: nobody let those lapse. The oldest first. */
  readonly killedBrowsers?: readonly number[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export function parseSignInStatus(bytes: Uint8Array): SignInStatus | undefined {
  try {
    return status.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))) as SignInStatus;
  } catch {
    return undefined;
  }
}
