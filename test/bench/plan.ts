import type { Work } from './jobs.ts';
import type { Kind } from './messages.ts';

/** How much is measured. */
export interface Plan {
  /** Calls one after the other, and calls of the load. */
  readonly calls: Extract<Work, { kind: 'calls' }>;
  readonly notifications: Extract<Work, { kind: 'notifications' }>;
  readonly large: readonly Extract<Work, { kind: 'large' }>[];
}

const MB = 1_000_000;
const WAYS: readonly (Kind | 'arguments')[] = ['json', 'sse', 'arguments'];

function large(megabytes: readonly number[]): Plan['large'] {
  return megabytes.flatMap((size) => WAYS.map((way) => ({ kind: 'large', bytes: size * MB, way }) as const));
}

export const WHOLE: Plan = {
  calls: { kind: 'calls', count: 3_000, load: 30_000 },
  notifications: { kind: 'notifications', count: 300_000 },
  large: large([1, 32, 256]),
};

export const QUICK: Plan = {
  calls: { kind: 'calls', count: 1_000, load: 8_000 },
  notifications: { kind: 'notifications', count: 100_000 },
  large: large([32]),
};

/** Beyond this other bridges take minutes: one that joins strings chunk by chunk is quadratic. */
export const OTHERS_LARGEST_BYTES = 32 * MB;

/** A table of its own for each: what grows, and what then costs how much. */
export const GROWTH = {
  sizes: { kind: 'sizes', bytes: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 2.56e8] },
  'in-flight': { kind: 'in-flight', levels: [1, 4, 16, 64, 256, 1_024], count: 20_000 },
  session: { kind: 'session', marks: [1_000, 10_000, 100_000, 300_000, 1_000_000] },
} as const satisfies Record<string, Work>;

export const INSTANCES = [1, 4, 16, 64] as const;

/** The marks of `session` between which memory has to stay flat: what comes before is the runtime settling in. */
export const FLAT_FROM = '100000';
