import * as z from 'zod/mini';
import type { Immutable } from '../../../protocol/oauth-settings.ts';
import { ownerSchema } from '../../files/owner-file.ts';
import { StoreError } from '../../files/store-errors.ts';
import { recordSchema } from '../../record/record-schema.ts';

const text = z.string().check(z.maxLength(512));
/** Milliseconds since the epoch, by the engine's clock; also for numbers that only grow. */
const instant = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const count = z.int().check(z.gte(0));

const rankSchema = z.object({ login: count, generation: count, request: count });

const reservationSchema = z.object({
  /** SHA-256 of the refresh token. */
  hash: text,
  /** 1 for the first reservation of this token. */
  number: z.int().check(z.gte(1)),
  nonce: text,
  owner: ownerSchema,
  /** `held`: not sent. `maybe`: may have been sent. `lost`: may have been sent, and its owner no longer waits for the response. */
  state: z.enum(['held', 'maybe', 'lost']),
  /** After this time the reservation no longer blocks the next one. */
  until: instant,
  /** An earlier reservation may have sent this token. */
  doubt: z.boolean(),
});

const holdSchema = z.object({ nonce: text, owner: ownerSchema, since: instant, until: instant });

const contentSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('record'), record: recordSchema }),
  /** Signed out. `family`: of the login that was removed. */
  z.object({ kind: z.literal('removed'), family: text }),
]);

const cellSchema = z.object({
  version: z.literal(1),
  /** Absent: nothing was ever stored; a process holds the cell to store the first record. */
  state: z.optional(z.object({ content: contentSchema, rank: rankSchema })),
  reservation: z.optional(reservationSchema),
  /** The process that works on the credential. It queues and decides nothing. */
  hold: z.optional(holdSchema),
  /** Since when the cell is known to be in this epoch of the engine. 0: nothing lost before could concern the stored state. */
  epoch: z.object({ id: text, since: instant }),
});

/** A credential as stored on the engine, and which process does what with it. All times are the engine's. */
export type CredentialCell = Immutable<z.output<typeof cellSchema>>;
export type Reservation = Immutable<z.output<typeof reservationSchema>>;
export type Hold = Immutable<z.output<typeof holdSchema>>;
/** The stored state, and its rank. */
export type State = NonNullable<CredentialCell['state']>;

/** The bytes of a cell, unsealed. Throws StoreError for one that a reader would reject: every reader would repair it at once, again and again. */
export function encodeCell(cell: CredentialCell): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(cell));
  if (decodeCell(bytes).kind !== 'cell') throw new StoreError('the credential is too large to be kept');
  return bytes;
}

export type DecodedCell =
  | { readonly kind: 'cell'; readonly cell: CredentialCell }
  /** Written by a later version of this program. */
  | { readonly kind: 'newer' }
  | { readonly kind: 'corrupt' };

/** The reverse. */
export function decodeCell(bytes: Uint8Array): DecodedCell {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { kind: 'corrupt' };
  }
  const parsed = cellSchema.safeParse(value);
  if (parsed.success) return { kind: 'cell', cell: parsed.data };
  return { kind: isOfLaterVersion(value) ? 'newer' : 'corrupt' };
}

/** Whether a value that cannot be read as one of this version names a later one. */
export function isOfLaterVersion(value: unknown): boolean {
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : 0;
  return typeof version === 'number' && version > 1;
}
