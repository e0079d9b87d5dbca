import { AbortedError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { SUSPENDED_CALL_MS } from '../message/limits.ts';
import type { CallMessages } from './call-messages.ts';
import { RequestStates } from './request-state.ts';

/** A call to a legacy server that is waiting for input from the host. */
export interface SuspendedCall {
  /** The id of the server's question. */
  readonly question: MessageId;
  /** The id of the call at the server. */
  readonly id: MessageId;
  readonly progressToken: MessageId | undefined;
  /** The rest of the server's answer. */
  readonly source: CallMessages;
  /** Ends the exchange with the server. */
  readonly stop: AbortController;
  /** The question as the server wrote it, in case it has to be asked again. */
  readonly asked: string;
}

/** What `SuspendedCalls` needs. */
export interface SuspendedCallsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the host did not send the input in time. */
  readonly onExpired: (call: SuspendedCall) => void;
}

/** Keeps calls between the answer that asks for input and the request that brings it. Each suspended call can be taken once. */
export class SuspendedCalls {
  readonly #options: SuspendedCallsOptions;
  readonly #states: RequestStates;
  readonly #calls = new Map<string, { readonly call: SuspendedCall; readonly timer: AbortController }>();

  constructor(options: SuspendedCallsOptions) {
    this.#options = options;
    this.#states = new RequestStates(options.random);
  }

  /** Keeps the call for the host's next request of the same `name`; returns the `requestState` to give to the host. */
  park(call: SuspendedCall, name: string): string {
    const { clock } = this.#options;
    const { id, state } = this.#states.issue(name, clock.now() + SUSPENDED_CALL_MS);
    const timer = new AbortController();
    this.#calls.set(id, { call, timer });
    clock.sleep(SUSPENDED_CALL_MS, timer.signal).then(
      () => this.#expire(id),
      () => undefined,
    );
    return state;
  }

  /** Removes and returns the call for which this state was issued; undefined if it is gone or was for another `name`. */
  take(state: unknown, name: string): SuspendedCall | undefined {
    const id = this.#states.verify(state, name, this.#options.clock.now());
    const kept = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || kept === undefined) return undefined;
    this.#calls.delete(id);
    kept.timer.abort();
    return kept.call;
  }

  /** Ends all suspended calls. */
  close(): void {
    for (const { call, timer } of this.#calls.values()) {
      timer.abort();
      call.stop.abort(new AbortedError('the bridge is closing'));
    }
    this.#calls.clear();
  }

  #expire(id: string): void {
    const kept = this.#calls.get(id);
    if (kept === undefined) return;
    this.#calls.delete(id);
    this.#options.onExpired(kept.call);
  }
}
