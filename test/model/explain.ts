import type { Stored } from './simulated-engine.ts';
import { isLater, type Place, type Redemption } from './strict-server.ts';
import type { VirtualProcess } from './virtual-time.ts';

/** One point of an operation or request, or a fault. */
export interface Happening {
  readonly at: number;
  readonly process: VirtualProcess;
  readonly what: string;
  /** What the cell held then. */
  readonly stored?: Stored | undefined;
}

/** All that a verdict looks at. */
export interface Course {
  readonly happenings: readonly Happening[];
  readonly now: number;
  /** Times at which writes may have been lost: failovers, restarts, an engine that was emptied. */
  readonly losses: readonly number[];
  /** How much the clocks of the engine's servers differ: an end that one of them wrote comes that much sooner for another. */
  readonly clockSpreadMs: number;
  /** What a value says. */
  readonly contentIn: (stored: Stored) => Content | undefined;
}

/** What is stored of a credential. */
export type Content = { readonly kind: 'record'; readonly place: Place } | { readonly kind: 'removed' };

/** A token that may be spent is not tried again for so long. */
const MAYBE_MS = 120_000;
/** Nobody reserves a token for so long after a failover. */
const QUARANTINE_MS = 45_000;

/**
 * The stated residue (src/README.md, "The residue"): why a server without grace saw a token twice. Undefined: it is none of it, and a
 * promise is broken.
 */
export function explainReplay(
  course: Course,
  spent: Redemption,
  replayer: VirtualProcess,
): string | undefined {
  const { happenings, now } = course;
  const next = { login: spent.login, generation: spent.generation + 1 };
  const suspended = suspendedBeforeSending(course, replayer);
  if (suspended) return 'the sender was suspended between its last look and the first byte';
  const { by } = spent;
  const dared = (process: VirtualProcess, at: number) =>
    process.outages.some(
      ({ from, until, why }) => why === 'with the old primary' && from <= at && until + 1_000 > at,
    ) && at + course.clockSpreadMs >= spent.expiredAt + MAYBE_MS;
  if (dared(replayer, now) || dared(by, spent.at))
    return 'two primaries for longer than two minutes past the end of the token';
  const isOf = ({ process, at }: Happening) => process === by && at >= spent.at;
  const holds = ({ stored }: Happening) => stored !== undefined && isAtLeast(course.contentIn(stored), next);
  const answered = happenings.find((one) => isOf(one) && one.what === 'POST answered');
  const kept = happenings.find((one) => isOf(one) && one.what === 'put applied' && holds(one));
  if (kept === undefined) {
    if (!by.isAlive) return 'killed between the commit of the server and the put';
    if (answered === undefined) return 'the answer of the server was lost';
    const away = by.awayMs(spent.at, now);
    return away >= MAYBE_MS
      ? 'cut off or suspended for two minutes between the commit and the put'
      : undefined;
  }
  const lostAt = course.losses.findLast((at) => at >= kept.at);
  const knowing = new Set([by, ...happenings.filter(holds).map(({ process }) => process)]);
  const living = [...knowing].filter(({ isAlive }) => isAlive);
  if (living.length === 0) return 'a failover lost the answer, and all who knew it are gone';
  // The old primary took it, and never gave it on.
  if (living.every((process) => process.awayMs(spent.at, now) >= MAYBE_MS)) {
    return 'all who knew the answer were cut off for two minutes';
  }
  // The claim went with the failover: then only the quarantine keeps others from the token.
  const isClaimLost = course.losses.some((at) => at >= spent.at - QUARANTINE_MS);
  if (isClaimLost && living.every((process) => process.awayMs(spent.at, now) >= QUARANTINE_MS)) {
    return 'a failover lost the claim, and all who knew the answer were away for 45 s';
  }
  if (lostAt === undefined) return undefined;
  const isAway = (process: VirtualProcess) =>
    process.awayMs(lostAt, now) >= Math.min(QUARANTINE_MS, now - lostAt - 5_000);
  return living.every(isAway)
    ? 'a failover lost the answer, and all who knew it are gone or cut off'
    : undefined;
}

/** Why a login is gone although the server knows it: nobody alive knew it. Undefined: somebody did. */
export function explainLoss(course: Course, login: number): string | undefined {
  const knows = ({ stored }: Happening) =>
    stored !== undefined && isAtLeast(course.contentIn(stored), { login, generation: 0 });
  const living = course.happenings.filter((one) => one.process.isAlive && knows(one));
  return living.length === 0 ? 'the engine lost the login, and all who knew it are gone' : undefined;
}

/** Why a login is there although a person removed it: nobody alive had heard of that. Undefined: somebody had. */
export function explainUndone(course: Course): string | undefined {
  const knows = ({ stored }: Happening) =>
    stored !== undefined && course.contentIn(stored)?.kind === 'removed';
  const living = course.happenings.filter((one) => one.process.isAlive && knows(one));
  return living.length === 0 ? 'a failover lost the logout, and all who knew it are gone' : undefined;
}

function suspendedBeforeSending({ happenings }: Course, replayer: VirtualProcess): boolean {
  const own = happenings.filter(({ process }) => process === replayer);
  const sent = own.findLastIndex(({ what }) => what === 'POST sent');
  const checked = own.slice(0, sent).findLast(({ what }) => what.endsWith(' answered'));
  const from = checked?.at ?? 0;
  const until = (own[sent]?.at ?? 0) + 2;
  return replayer.outages.some(
    (outage) =>
      outage.why === 'suspended' && outage.from <= until && outage.until > from && outage.from >= from - 1,
  );
}

const isAtLeast = (content: Content | undefined, place: Place) =>
  content?.kind === 'record' && !isLater(place, content.place);
