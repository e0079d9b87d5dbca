import type { HostWriter } from '../host/writer.ts';
import type { Clock } from '../platform/clock.ts';
import type { HostMessages } from './relay/dispatch.ts';
import type { BridgeParts, StopReason } from './relay/parts.ts';
import { CLOSING_GRACE_MS, END_SESSION_MS } from './timing/limits.ts';

/** How often a slow reader is looked at while the last bytes go out. */
const FLUSH_LOOK_MS = 250;

/**
 * DESIGN, "Order and retry": what is in flight is answered within a bounded grace, the session is ended with DELETE, and stdout is written to its
 * end: a process that just exits cuts a pipe at 64 KiB.
 */
export async function closeBridge(
  messages: HostMessages,
  { clock, writer }: BridgeParts,
  reason: StopReason,
): Promise<void> {
  if (reason !== 'host-gone') {
    await within(clock, CLOSING_GRACE_MS, () => messages.idle());
    messages.failAll('The bridge is closing: the host ended the connection before the server answered');
  }
  messages.abort();
  const ending = within(clock, END_SESSION_MS, (signal) => messages.endSession(signal));
  if (reason !== 'host-gone') await flush(writer, clock);
  await ending;
}

/** Runs `work` for at most `ms`; what it rejects with by then is the caller's. */
async function within(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const time = new AbortController();
  const over = new AbortController();
  try {
    await Promise.race([work(over.signal), clock.sleep(ms, time.signal)]);
  } finally {
    time.abort();
    over.abort();
  }
}

/** Writes on as long as the host reads on: a slow reader gets all, one that stopped is not waited for. */
async function flush(writer: HostWriter, clock: Clock): Promise<void> {
  let done = false;
  const flushed = writer.flushed().then(() => {
    done = true;
  });
  for (let before = Number.POSITIVE_INFINITY; !done && writer.pendingBytes < before; ) {
    before = writer.pendingBytes;
    await Promise.race([flushed, clock.sleep(FLUSH_LOOK_MS)]);
  }
}
