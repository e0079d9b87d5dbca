import { AbortedError } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import type { MessageId } from '../../protocol/jsonrpc.ts';
import { SUSPENDED_CALL_MS } from '../message/limits.ts';
import type { CallMessages } from './call-messages.ts';
import { RequestStates } from './request-state.ts';

/** A call of a legacy server that waits in the middle for what the host has to say. */
export interface SuspendedCall {
  /** The id of the server's question. */
  readonly question: MessageId;
  /** The id under which the server knows the call. */
  readonly id: MessageId;
  readonly progressToken: MessageId | undefined;
  /** The rest of the server's answer. */
  readonly source: CallMessages;
  /** Ends the exchange with the server. */
  readonly stop: AbortController;
  /** The question as the server wrote it, to be asked again. */
  readonly asked: string;
}

export interface SuspendedCallsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told of a call for which the host did not come back. */
  readonly onExpired: (call: SuspendedCall) => void;
}

/** Keeps calls between the answer that asks for input and the request that brings it; each is taken up once. */
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

  /** The call that this state was given out for, if it is still there and the request is for the same thing. */
  take(state: unknown, name: string): SuspendedCall | undefined {
    const id = this.#states.verify(state, name, this.#options.clock.now());
    const kept = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || kept === undefined) return undefined;
    this.#calls.delete(id);
    kept.timer.abort();
    return kept.call;
  }

  /** Drops all that is kept. */
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
