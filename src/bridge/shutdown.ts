import type { HostWriter } from '../host/writer.ts';
import type { Clock } from '../platform/clock.ts';
import type { HostDispatcher } from './relay/dispatch.ts';
import type { BridgeOutcome, BridgeParts, StopReason } from './relay/parts.ts';
import { CLOSING_GRACE_MS, END_SESSION_MS, PARENT_LOOK_MS, STDIN_ENDED_MS } from './timing/limits.ts';

/** How often a slow reader is looked at while the last bytes go out. */
const FLUSH_LOOK_MS = 250;

/** What ends the wait for the last answers. */
type LastAnswers = 'answered' | 'too-late' | 'parent-gone' | StopReason;

/**
 * What is in flight is answered, the session is ended with DELETE, and stdout is written to its end: a process that just exits cuts a pipe at
 * 64 KiB. Once somebody asked for the end, or nobody is there any more, all of that takes less than two seconds.
 */
export async function closeBridge(
  messages: HostDispatcher,
  parts: BridgeParts,
  reason: StopReason,
  stop: AbortSignal,
): Promise<BridgeOutcome> {
  const { clock, writer } = parts;
  let outcome: BridgeOutcome = 'answered';
  const end = reason === 'stdin-ended' ? await lastAnswers(messages, parts, stop) : reason;
  if (end === 'too-late') {
    const seconds = STDIN_ENDED_MS / 1000;
    const why = `Stdin ended, and the server did not answer within ${seconds} s after that; with --wait the bridge waits for its answer`;
    if (messages.failAll(why) > 0) outcome = 'unanswered';
  } else if (end === 'signal' || end === 'parent-gone') {
    const why = 'The bridge was ended before the server answered';
    messages.failWaiting(why);
    await within(clock, CLOSING_GRACE_MS, () => messages.quiet());
    messages.failAll(why);
  }
  messages.abort();
  const ending = within(clock, END_SESSION_MS, (signal) => messages.endSession(signal));
  if (end !== 'host-gone') await flush(writer, clock);
  await ending;
  return outcome;
}

/** Waits for what the server still owes, as long as there is somebody who can use it. */
async function lastAnswers(
  messages: HostDispatcher,
  { clock, wait, parentIsGone }: BridgeParts,
  stop: AbortSignal,
): Promise<LastAnswers> {
  messages.hostEnded();
  const over = new AbortController();
  const time = (ms: number) => clock.sleep(ms, over.signal);
  const stopped = new Promise<LastAnswers>((resolve) => {
    const ends = () => resolve(stop.reason as StopReason);
    if (stop.aborted) ends();
    else stop.addEventListener('abort', ends, { once: true, signal: over.signal });
  });
  const orphaned = async (): Promise<LastAnswers> => {
    while (!parentIsGone()) await time(PARENT_LOOK_MS);
    return 'parent-gone';
  };
  const all: Promise<LastAnswers>[] = [
    messages.idle().then(() => 'answered'),
    stopped,
    orphaned(),
    ...(wait ? [] : [time(STDIN_ENDED_MS).then((): LastAnswers => 'too-late')]),
  ];
  try {
    return await Promise.race(all);
  } finally {
    over.abort();
  }
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

/** Waits as long as the host goes on reading: a slow host gets everything, a host that stopped reading is not waited for. */
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
