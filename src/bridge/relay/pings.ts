import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { ownId, type Random } from '../../platform/random.ts';
import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { serverRequest } from '../../protocol/jsonrpc.ts';
import { stringId } from '../../protocol/message-id.ts';
import { PING_TIMEOUT_MS } from '../timing/limits.ts';
import { HostRequest, type HostRequestDeps } from './host-request.ts';
import type { PendingRequests } from './pending-requests.ts';

export interface PingsOptions {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly table: PendingRequests;
  readonly signal: StopSignal;
  /** Whether there is a session to ask in. */
  readonly ready: () => boolean;
  readonly requestDeps: HostRequestDeps;
  /** The server did not answer. */
  readonly onSilence: () => void;
}

/**
 * `--ping-interval`: pings a server (specification, Ping), so that middleboxes do not forget the connection, and detects a dead connection that neither side
 * noticed. Never rejects.
 */
export async function sendPings(options: PingsOptions): Promise<void> {
  const { everyMs, clock, signal, logger } = options;
  const ended = () => {};
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(ended);
    if (signal.aborted || !options.ready()) continue;
    if (await answered(options)) continue;
    if (signal.aborted) return;
    logger.debug('a ping was not answered');
    options.onSilence();
  }
}

async function answered({
  everyMs,
  clock,
  random,
  table,
  signal,
  requestDeps,
}: PingsOptions): Promise<boolean> {
  const id = stringId(ownId(random));
  const bytes = serverRequest(id, 'ping');
  const time = new AbortController();
  const answer = new Promise<true>((resolve) => {
    const message = { id, method: 'ping', bytes, params: undefined, onResponse: () => resolve(true) };
    // An error is an answer too: the connection works, or the bridge knows that it does not.
    const request = new HostRequest(message, requestDeps);
    request.admit();
    void request.relay();
  });
  const over = clock.sleep(Math.min(everyMs, PING_TIMEOUT_MS), anySignal([signal, time.signal])).then(
    () => false,
    () => false,
  );
  const inTime = await Promise.race([answer, over]);
  time.abort();
  if (!inTime) table.settle(id)?.stop.abort();
  return inTime;
}
