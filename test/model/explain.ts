import type { Loss, Stored } from './simulated-engine.ts';
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
  /** Failovers, an engine that was emptied. */
  readonly losses: readonly Loss[];
  /** Times without an engine. */
  readonly engineOutages: readonly { readonly from: number; readonly until: number }[];
  /** How much the clocks of the engine's servers differ: an end that one of them wrote comes that much sooner for another. */
  readonly clockSpreadMs: number;
  /** Nobody can see of another process whether it is dead. */
  readonly isApart: boolean;
  /** What a value says. */
  readonly contentIn: (stored: Stored) => Content | undefined;
}

/** What is stored of a credential. `rank`: of the sign-in or logout. */
export type Content =
  | { readonly kind: 'record'; readonly place: Place; readonly rank: number }
  | { readonly kind: 'removed'; readonly rank: number };

/** A token that may be spent is not tried again for so long. */
const MAYBE_MS = 120_000;
/** Nobody reserves a token for so long after the engine may have lost reservations. */
const QUARANTINE_MS = 45_000;
/** A request without an answer ends by then. */
const REQUEST_MS = 30_000;
/** Who is in touch with the engine for so long has put what it knows: an operation that fails takes 2 s, the pause after it up to 4.5 s. */
const IN_TOUCH_MS = 10_000;
const KILLED = 'killed between the request and the put';
/** What an operation takes. */
const SLACK_MS = 1_000;

/**
 * The stated residue (src/store/shared/README.md, "Limits"): why a server without grace saw a token twice. Undefined: it is none of it,
 * and a promise is broken.
 *
 * The second process must have waited as long as the protocol asks for. And nobody who had the answer was in touch with the engine in that time:
 * had one been, the second process would have found the answer.
 */
export function explainReplay(
  course: Course,
  spent: Redemption,
  replayer: VirtualProcess,
): string | undefined {
  const { by } = spent;
  if (suspendedBeforeSending(course, replayer)) {
    return 'the sender was suspended between its last look and the first byte';
  }
  const second = sending(course, replayer, course.now);
  const first = sending(course, by, spent.at);
  if (dared(course, spent, replayer, second.sentAt) || dared(course, spent, by, first.sentAt)) {
    return 'two primaries, not told apart for two minutes, and a token that expired as long ago';
  }
  // Its request was on its way when it was killed, and came after that of the next one.
  if (replayer.diedAt <= first.preparedAt && !course.isApart) return KILLED;
  const lost = course.losses.findLast(({ at }) => at >= first.preparedAt && at <= second.preparedAt);
  const next = { login: spent.login, generation: spent.generation + 1 };
  const knowing = knowers(course, (content) => content?.kind === 'record' && !isLater(next, content.place));
  const answered = course.happenings.find(
    ({ process, at, what }) => process === by && at >= spent.at && what === 'POST answered',
  );
  if (answered !== undefined) knowing.set(by, Math.min(answered.at, knowing.get(by) ?? answered.at));
  for (const [process, since] of knowing) {
    const from = Math.max(since, noticedAt(course, lost));
    if (inTouchMs(course, process, from, second.preparedAt) >= IN_TOUCH_MS) return undefined;
  }
  const waitedMs = second.preparedAt - first.countedFrom + SLACK_MS;
  if (lost === undefined) {
    if (by.diedAt <= second.preparedAt && (!course.isApart || waitedMs >= MAYBE_MS)) {
      return KILLED;
    }
    if (answered === undefined && waitedMs >= REQUEST_MS) return 'the answer of the server was lost';
    if (waitedMs < MAYBE_MS) return undefined;
    return 'cut off or suspended for two minutes between the request and the put';
  }
  if (second.preparedAt - lost.at + SLACK_MS < QUARANTINE_MS) return undefined;
  const isAnyAlive = [...knowing.keys()].some(({ diedAt }) => diedAt > second.preparedAt);
  return isAnyAlive
    ? 'the engine lost the answer or the reservation, and all who knew the answer were cut off or suspended for 45 s'
    : 'the engine lost the answer or the reservation, and all who knew the answer are gone';
}

/** From when processes could know of the loss: of an engine that was emptied they hear with the next value that is put. */
function noticedAt({ happenings, contentIn }: Course, lost: Loss | undefined): number {
  if (lost === undefined) return 0;
  if (lost.isAnnounced) return lost.at;
  const next = happenings.find(
    ({ at, what, stored }) =>
      at > lost.at && what === 'put applied' && stored !== undefined && contentIn(stored) !== undefined,
  );
  return next?.at ?? Number.POSITIVE_INFINITY;
}

/**
 * The last request of a process up to then: when it was sent, when the engine took that it may be, and from when the others' wait is counted. That is the
 * engine's time as the process was told it before it put the mark, which a short suspension in between makes some seconds earlier.
 */
function sending({ happenings }: Course, by: VirtualProcess, until: number) {
  const own = happenings.filter(({ process, at }) => process === by && at <= until);
  const sent = own.findLastIndex(({ what }) => what === 'POST sent');
  const prepared = own.slice(0, sent).findLast(({ what }) => what === 'put applied');
  const preparedAt = prepared?.at ?? 0;
  const before = own.slice(own.slice(0, sent).findLastIndex(({ what }) => what === 'POST sent') + 1, sent);
  const asked = before.findLastIndex(({ what }) => what === 'isPrimary sent');
  const mark = before.slice(0, Math.max(asked, 0)).findLastIndex(({ what }) => what === 'put applied');
  const put = before.slice(0, Math.max(mark, 0)).findLastIndex(({ what }) => what === 'put sent');
  const told = before.slice(0, Math.max(put, 0)).findLast(({ what }) => what.endsWith(' answered'));
  return { sentAt: own[sent]?.at ?? 0, preparedAt, countedFrom: told?.at ?? preparedAt };
}

/**
 * The process did not wait any more for the confirmation that its primary is the one that the others see: the token had expired two minutes before, and its
 * first question since the last confirmation was as long ago.
 */
function dared(
  { clockSpreadMs, happenings }: Course,
  { expiredAt }: Redemption,
  by: VirtualProcess,
  at: number,
): boolean {
  const isWithOld = by.outages.some(
    ({ from, until, why }) => why === 'with the old primary' && from <= at && until + SLACK_MS > at,
  );
  const confirmedAt = by.confirmations.findLast((each) => each <= at) ?? Number.NEGATIVE_INFINITY;
  const first = happenings.find(
    ({ process, what, at }) => process === by && what === 'isPrimary sent' && at > confirmedAt,
  );
  const waitedMs = at - (first?.at ?? at) + SLACK_MS;
  return isWithOld && waitedMs >= MAYBE_MS && at + clockSpreadMs + SLACK_MS >= expiredAt + MAYBE_MS;
}

/** Who was told of such a content by the engine, and when first. */
function knowers({ happenings, contentIn }: Course, is: (content: Content | undefined) => boolean) {
  const since = new Map<VirtualProcess, number>();
  for (const { process, at, what, stored } of happenings) {
    if (stored === undefined || since.has(process) || !what.endsWith(' answered')) continue;
    if (is(contentIn(stored))) since.set(process, at);
  }
  return since;
}

/** For how long at a stretch a process was there and could reach the engine, between these times. */
function inTouchMs(
  { engineOutages }: Course,
  { outages, diedAt }: VirtualProcess,
  from: number,
  until: number,
): number {
  const end = Math.min(until, diedAt);
  let [longest, since] = [0, from];
  for (const outage of [...outages, ...engineOutages].sort((a, b) => a.from - b.from)) {
    longest = Math.max(longest, Math.min(outage.from, end) - since);
    since = Math.max(since, outage.until);
  }
  return Math.max(longest, end - since);
}

/** Why a login is gone although the server knows it: nobody alive knew it. Undefined: somebody did. */
export function explainLoss(course: Course, login: number): string | undefined {
  const isIt = (content: Content | undefined) =>
    content?.kind === 'record' && !isLater({ login, generation: 0 }, content.place);
  const isKnown = [...knowers(course, isIt).keys()].some(({ isAlive }) => isAlive);
  if (!isKnown) return 'the engine lost the login, and all who knew it are gone';
  return isOutranked(course, isIt) ? OUTRANKED : undefined;
}

/** Why a login is there although a person removed it: nobody alive had heard of that. Undefined: somebody had. */
export function explainUndone(course: Course): string | undefined {
  const isIt = (content: Content | undefined) => content?.kind === 'removed';
  const isKnown = [...knowers(course, isIt).keys()].some(({ isAlive }) => isAlive);
  if (!isKnown) return 'the engine lost the logout, and all who knew it are gone';
  return isOutranked(course, isIt) ? OUTRANKED : undefined;
}

/** Why a process goes back to an earlier login: the clocks of the engine say that it is the later one. Undefined: they do not, or it is the same login. */
export function explainGoingBack(course: Course, from: Place, to: Place): string | undefined {
  if (from.login === to.login) return undefined;
  const isIt = (content: Content | undefined) =>
    content?.kind === 'record' && content.place.login === from.login;
  return isOutranked(course, isIt) ? OUTRANKED : undefined;
}

const OUTRANKED =
  'the clocks of the engine put a sign-in or logout before an earlier one, which the engine had lost';

/** Before the last such content was there, another server of the engine, whose clock was ahead, had one to which it gave a number as high. */
function isOutranked(
  { happenings, contentIn, clockSpreadMs }: Course,
  isIt: (content: Content | undefined) => boolean,
): boolean {
  const put = happenings.flatMap(({ what, stored }) => {
    const content = what === 'put applied' && stored !== undefined ? contentIn(stored) : undefined;
    return content === undefined ? [] : [content];
  });
  const { rank } = put.findLast(isIt) ?? {};
  if (rank === undefined) return false;
  const first = put.findIndex((content) => isIt(content) && content.rank === rank);
  return put
    .slice(0, first)
    .some((content) => !isIt(content) && content.rank >= rank && content.rank - rank <= clockSpreadMs);
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
