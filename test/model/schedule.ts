import fc from 'fast-check';

/** What happens to whom. `who`: a number that stands for a living instance, or the one that comes to the point. */
export type Fault =
  | { readonly kind: 'kill'; readonly who: Who }
  | { readonly kind: 'suspend'; readonly who: Who; readonly forMs: number }
  /** From the engine, in both directions. */
  | { readonly kind: 'cut'; readonly who: Who; readonly forMs: number }
  /** From the authorization server, in both directions. */
  | { readonly kind: 'unreachable'; readonly who: Who; readonly forMs: number }
  | { readonly kind: 'wall-clock'; readonly who: Who; readonly byMs: number }
  /** The replica gets nothing for so long. */
  | { readonly kind: 'break-link'; readonly forMs: number }
  | { readonly kind: 'fail-over'; readonly downMs: number; readonly clockByMs: number }
  /** The replica is primary, and those whose bit is set in `stay` are with the old primary. */
  | { readonly kind: 'split'; readonly forMs: number; readonly downMs: number; readonly stay: number }
  | { readonly kind: 'restart'; readonly downMs: number }
  | { readonly kind: 'empty' }
  | { readonly kind: 'logout' }
  | { readonly kind: 'login' };

export type Who = 'actor' | number;

export interface PlacedFault {
  /** Which of the lapses, and after how many points of it: operations of the engine and requests, each as it is sent, carried out and answered. */
  readonly lapse: number;
  readonly after: number;
  readonly fault: Fault;
}

/** One run: everything that is random in it follows from these. */
export interface Schedule {
  readonly instances: number;
  /** How the access token of each lapse ends. */
  readonly lapses: readonly ('due' | 'refused')[];
  readonly lifetimeMs: number;
  /** Each instance is on a machine of its own. */
  readonly apart: boolean;
  readonly faults: readonly PlacedFault[];
  readonly seed: number;
}

const who: fc.Arbitrary<Who> = fc.oneof(
  { arbitrary: fc.constant('actor' as const), weight: 3 },
  { arbitrary: fc.nat(3), weight: 1 },
);
/** Some seconds, or longer than any wait of the protocol. */
const outage = fc.oneof(
  { arbitrary: fc.integer({ min: 100, max: 20_000 }), weight: 3 },
  { arbitrary: fc.integer({ min: 20_000, max: 110_000 }), weight: 2 },
  { arbitrary: fc.integer({ min: 130_000, max: 240_000 }), weight: 1 },
);
const DAY_MS = 86_400_000;
const downMs = fc.integer({ min: 500, max: 6_000 });

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('kill' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('suspend' as const), who, forMs: outage }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut' as const), who, forMs: outage }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unreachable' as const), who, forMs: outage }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wall-clock' as const),
      who,
      byMs: fc.integer({ min: -DAY_MS, max: DAY_MS }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('break-link' as const), forMs: outage }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fail-over' as const),
      downMs,
      clockByMs: fc.oneof(fc.integer({ min: -2_000, max: 2_000 }), fc.integer({ min: -DAY_MS, max: DAY_MS })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('split' as const),
      forMs: outage,
      downMs,
      stay: fc.nat(15),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), downMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('logout' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('login' as const) }) },
);

/** Small ones: most of what can go wrong takes two or three instances and as many faults. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  instances: fc.integer({ min: 1, max: 4 }),
  lapses: fc.array(fc.constantFrom('due' as const, 'refused' as const), { minLength: 1, maxLength: 3 }),
  lifetimeMs: fc.constantFrom(300_000, 3_600_000),
  apart: fc.boolean(),
  faults: fc.array(fc.record({ lapse: fc.nat(2), after: fc.nat(60), fault }), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(),
});
