import type { Readable } from 'node:stream';
import { type HostLine, LineSplitter } from '../host/line-splitter.ts';
import { HostDispatcher } from './relay/dispatch.ts';
import type { BridgeOutcome, BridgeParts, StopReason } from './relay/parts.ts';
import { closeBridge } from './shutdown.ts';
import { MAX_UNSENT_BYTES } from './timing/limits.ts';

/** Relays between the host on stdin/stdout and the server until the host ends or `stop` aborts (its reason a StopReason). */
export async function runBridge(parts: BridgeParts, stop: AbortSignal): Promise<BridgeOutcome> {
  const { stdin, logger } = parts;
  const messages = new HostDispatcher(parts);
  try {
    const reason = await readHost(stdin, parts.maxMessageBytes, messages, stop);
    logger.debug('closing', { reason });
    return await closeBridge(messages, parts, reason, stop);
  } finally {
    messages.abort();
    await parts.authorization.close();
  }
}

/** Resolves when the host's input has ended and been handled. */
function readHost(
  stdin: Readable,
  maxMessageBytes: number,
  messages: HostDispatcher,
  stop: AbortSignal,
): Promise<StopReason> {
  const splitter = new LineSplitter(maxMessageBytes);
  const handle = (lines: readonly HostLine[]) => {
    for (const line of lines) messages.handle(line);
  };
  return new Promise((resolve) => {
    const done = (reason: StopReason) => {
      stdin.off('data', onData);
      stdin.pause();
      resolve(reason);
    };
    const onData = (chunk: Buffer) => {
      handle(splitter.push(chunk));
      if (messages.unsentBytes.count <= MAX_UNSENT_BYTES) return;
      stdin.pause();
      void messages.unsentBytes.removed().then(() => stdin.resume());
    };
    stdin.on('data', onData);
    stdin.once('end', () => {
      handle(splitter.end());
      done('stdin-ended');
    });
    stdin.once('error', () => done('stdin-ended'));
    const stopped = () => done(stop.reason as StopReason);
    if (stop.aborted) stopped();
    else stop.addEventListener('abort', stopped, { once: true });
  });
}
