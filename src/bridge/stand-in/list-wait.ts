import type { Clock } from '../../platform/clock.ts';
import type { CachedServer } from '../../protocol/server-cache.ts';
import type { HostProfile } from '../timing/host-profile.ts';
import { LIST_WAIT_MS } from '../timing/limits.ts';
import type { Unavailability } from './unavailability.ts';

/** The facts about a host and its list on which the wait depends. */
export interface ListSituation {
  /** The host's own limit (`HostProfile`). */
  readonly listsMs: number;
  /** The contents of the list from last time are known. */
  readonly isKnown: boolean;
  /** A person has been signing in since lists began to wait: the server follows soon. */
  readonly hadPage: boolean;
}

/**
 * How long lists may wait, all of them together, in milliseconds: for a sign-in whose page is open as long as is useful with this host, for the server itself a
 * while, and not at all if no page was opened yet, since only the list says how to sign in.
 */
export function listWaitMs(
  unavailability: Unavailability,
  { listsMs, isKnown, hadPage }: ListSituation,
): number {
  const forServer = hadPage ? listsMs : Math.min(LIST_WAIT_MS, listsMs);
  switch (unavailability.kind) {
    case 'signing-in':
      return mayHavePage(unavailability) ? listsMs : 0;
    case 'opening':
      return listsMs;
    case 'unreachable':
      return isKnown ? 0 : forServer;
    case 'failed':
      return 0;
  }
}

/** Whether a page may be open: the browser is opened as soon as there is an address. */
function mayHavePage(unavailability: Unavailability): boolean {
  if (unavailability.kind !== 'signing-in') return false;
  return unavailability.address === undefined || unavailability.browserOpened !== false;
}

export interface ListWaitDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly unavailability: () => Unavailability;
}

/**
 * When lists are answered without the server. Hosts request one list after the other when they start, so that separate waits would add up: they share one,
 * which begins with the host's `initialize`.
 */
export class ListWait {
  readonly #deps: ListWaitDeps;
  /** On the monotonic clock. */
  #begin: number | undefined;
  #hasWaited = false;
  #hadPage = false;
  /** What the server said last time. */
  lastTime: CachedServer = {};

  constructor(deps: ListWaitDeps) {
    this.#deps = deps;
  }

  /** The host's `initialize` has come. */
  begin(): void {
    this.end();
    this.#begin = this.#deps.clock.monotonic();
  }

  /** The server has answered: if lists have to wait again, they have the whole time again. */
  end(): void {
    this.#begin = undefined;
    this.#hasWaited = false;
    this.#hadPage = false;
  }

  /** The time, on the monotonic clock, at which such a list is answered without the server. To be called while it waits. */
  deadline(method: string, { listsMs }: HostProfile): number {
    const now = this.#deps.clock.monotonic();
    const unavailability = this.#deps.unavailability();
    if (mayHavePage(unavailability)) this.#hadPage = true;
    const isKnown = this.lastTime.lists?.[method] !== undefined;
    const ms = listWaitMs(unavailability, { listsMs, isKnown, hadPage: this.#hadPage });
    // A host that requests its first list long after its start is no longer starting.
    if (this.#begin === undefined || (!this.#hasWaited && now - this.#begin >= ms)) this.#begin = now;
    this.#hasWaited = true;
    return this.#begin + ms;
  }
}
