import * as z from 'zod/mini';
import type { Clock } from '../../platform/clock.ts';
import { type Random, randomToken } from '../../platform/random.ts';
import type { Immutable } from '../../protocol/oauth-settings.ts';
import { ownerSchema } from '../files/owner-file.ts';
import { withBrowsers } from '../lease/earlier-browsers.ts';
import {
  ADOPTION_MS,
  DEFAULT_LIFETIME_MS,
  type LeaseAnswer,
  type Leases,
  OVERDUE_MS,
} from '../lease/lease.ts';
import { type SignInStatus, signInStatusSchema } from '../lease/sign-in-status.ts';
import { type CellCodec, type Format, jsonFormat } from './cell-codec.ts';
import { CellWatch } from './cell-watch.ts';
import type { Engine } from './engine.ts';
import { type Change, EngineCell, type EngineCellDeps, type Look } from './engine-cell.ts';
import type { Ownership } from './ownership.ts';
import { shiftStatus } from './protocol/times.ts';
import type { Timing } from './protocol/timing.ts';

const instant = z.number().check(z.gte(0));
const schema = z.object({
  version: z.literal(1),
  lease: z.optional(
    z.object({
      nonce: z.string().check(z.maxLength(512)),
      owner: ownerSchema,
      /** The last sign of life. All times are the engine's. */
      touchedAt: instant,
      deadline: instant,
      /** Until then the requesting process keeps it for the sign-in process that it starts. */
      adoptBy: z.optional(instant),
    }),
  ),
  status: z.optional(signInStatusSchema),
});

type SignInCell = Immutable<z.output<typeof schema>>;
type Lease = NonNullable<SignInCell['lease']>;

const FORMAT: Format<SignInCell> = jsonFormat('the sign-in', schema);

/** Longer than any sign-in, and than its outcome is remembered. */
export const KEPT_MS = 24 * 60 * 60_000;

export interface SharedLeasesDeps extends EngineCellDeps {
  readonly engine: Engine;
  readonly codec: CellCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  /** Its `ready` has resolved. */
  readonly ownership: Ownership;
  /** How far this machine's clock is ahead of the engine's. */
  readonly offset: () => number;
  /** A sign-in begins: from now on `status` shows it, also if no login was ever stored. Rejects for no failure that is expected. */
  readonly onCreated: (key: string) => Promise<void>;
}

/** Whether a living process holds this lease, by the engine's clock: one with a heartbeat, and not far past its deadline. */
export function isHeld(lease: Lease | undefined, now: number, { leaseMs }: Timing): lease is Lease {
  if (lease === undefined || now > lease.deadline + OVERDUE_MS) return false;
  const until = lease.adoptBy ?? lease.touchedAt + leaseMs;
  return now <= until && until - now <= Math.max(leaseMs, ADOPTION_MS);
}

/** The one sign-in of a credential across all machines. Times of callers are ignored: the engine's clock counts. */
export function openSharedLeases(deps: SharedLeasesDeps): Required<Leases> {
  const { codec, random, timing, ownership, offset, onCreated } = deps;
  const cells = new Map<string, { readonly cell: EngineCell<SignInCell>; readonly watch: CellWatch }>();

  const at = (key: string) => {
    const found = cells.get(key);
    if (found !== undefined) return found;
    const cell = new EngineCell(() => codec.name(key, 'sign-in'), FORMAT, deps);
    const made = { cell, watch: new CellWatch(cell, timing.signInTurnMs, () => cell.told(), deps) };
    cells.set(key, made);
    return made;
  };
  const look = async (key: string): Promise<{ readonly seen: Look<SignInCell>; readonly now: number }> => {
    const { cell, watch } = at(key);
    watch.looks();
    const seen = await cell.look();
    return { seen, now: cell.momentOf(seen).now };
  };
  const change = async (
    key: string,
    decide: (cell: SignInCell | undefined, now: number) => SignInCell | undefined,
    tell: boolean,
  ): Promise<Look<SignInCell> | undefined> => {
    const { cell } = at(key);
    const { kind, look } = await cell.change(
      (found, { now }): Change<SignInCell> => {
        const value = decide(found, now);
        if (value === undefined) return { kind: 'refused', reason: 'held' };
        return { kind: 'put', value, expiresInMs: KEPT_MS };
      },
      { tell, overwrite: true },
    );
    return kind === 'put' ? look : undefined;
  };
  const local = (status: SignInStatus | undefined) => status && shiftStatus(status, offset());
  const mine = (cell: SignInCell | undefined, nonce: string): Lease | undefined =>
    cell?.lease?.nonce === nonce ? cell.lease : undefined;

  return {
    create: async (key, _now, lifetimeMs = DEFAULT_LIFETIME_MS): Promise<LeaseAnswer> => {
      await look(key);
      const nonce = randomToken(random);
      const taken = await change(
        key,
        (cell, now) => {
          if (isHeld(cell?.lease, now, timing)) return undefined;
          const { owner } = ownership;
          const lease = {
            nonce,
            owner,
            touchedAt: now,
            deadline: now + lifetimeMs,
            adoptBy: now + ADOPTION_MS,
          };
          return { ...cell, version: 1, lease };
        },
        false,
      );
      if (taken !== undefined) {
        await onCreated(key);
        return { kind: 'created', nonce };
      }
      const { seen, now } = await look(key);
      const lease = isHeld(seen.value?.lease, now, timing) ? seen.value?.lease : undefined;
      return { kind: 'held', nonce: lease?.nonce, status: local(seen.value?.status) };
    },
    take: async (key, lifetimeMs) => {
      await look(key);
      const nonce = randomToken(random);
      await change(
        key,
        (cell, now) => {
          const { owner } = ownership;
          const times = { touchedAt: now, deadline: now + lifetimeMs, adoptBy: now + ADOPTION_MS };
          return { ...cell, version: 1, lease: { nonce, owner, ...times } };
        },
        true,
      );
      await onCreated(key);
      return nonce;
    },
    adopt: async (key, nonce) => {
      await look(key);
      const adopted = await change(
        key,
        (cell, now) => {
          const found = mine(cell, nonce);
          if (cell === undefined || found === undefined) return undefined;
          const { adoptBy: _over, ...lease } = found;
          return { ...cell, lease: { ...lease, owner: ownership.owner, touchedAt: now } };
        },
        true,
      );
      return adopted !== undefined;
    },
    heartbeat: async (key, nonce) => {
      const beaten = await change(
        key,
        (cell, now) => {
          const lease = mine(cell, nonce);
          return cell && lease && { ...cell, lease: { ...lease, touchedAt: now } };
        },
        false,
      );
      return beaten !== undefined;
    },
    release: async (key, nonce) => {
      await change(
        key,
        (cell) => {
          if (cell === undefined || mine(cell, nonce) === undefined) return undefined;
          const { lease: _over, ...rest } = cell;
          return rest;
        },
        true,
      );
    },
    holder: async (key) => {
      const { seen, now } = await look(key);
      const { lease } = seen.value ?? {};
      return isHeld(lease, now, timing) ? lease.nonce : undefined;
    },
    readStatus: async (key) => local((await look(key)).seen.value?.status),
    writeStatus: async (key, status) => {
      await change(
        key,
        (cell) => {
          const shifted = shiftStatus(status, -offset());
          return { ...cell, version: 1, status: withBrowsers(shifted, cell?.status) };
        },
        true,
      );
    },
    changed: (key, signal) => at(key).watch.changed(signal),
  };
}
