import type { Readable } from 'node:stream';
import type { Authorization } from '../auth/authorization.ts';
import { type HostLine, LineSplitter } from '../host/line-splitter.ts';
import type { HostWriter } from '../host/writer.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Transport } from '../remote/transport.ts';
import { HostMessages } from './host-messages.ts';
import { MAX_UNSENT_BYTES } from './limits.ts';
import type { Memory } from './memory.ts';
import { closeBridge } from './shutdown.ts';

/** What a bridge is made of; the composition builds it. */
export interface BridgeParts {
  readonly stdin: Readable;
  readonly writer: HostWriter;
  readonly http: Transport;
  readonly authorization: Authorization;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: string;
  readonly maxMessageBytes: number;
  /** Lists and calls wait for the whole sign-in. */
  readonly wait: boolean;
  /** How often an idle server is asked for a sign of life; never where it is not there. */
  readonly pingIntervalMs?: number;
}

/** Why the bridge stops: the host closed stdin, a signal asked for it, or nobody reads stdout any more. */
export type StopReason = 'stdin-ended' | 'signal' | 'host-gone';

/**
 * Relays between the host on stdin/stdout and the server until the host ends, `stop` aborts (its reason a StopReason), or the program
 * turns out to be wrong (rejects).
 */
export async function runBridge(parts: BridgeParts, stop: AbortSignal): Promise<void> {
  const { stdin, logger } = parts;
  let crash: (error: unknown) => void = () => {};
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  const messages = new HostMessages(parts, (error) => crash(error));
  try {
    const reason = await Promise.race([readHost(stdin, parts.maxMessageBytes, messages, stop), crashed]);
    logger.debug('closing', { reason });
    await Promise.race([closeBridge(messages, parts, reason), crashed]);
  } finally {
    messages.abort();
    await parts.authorization.close();
  }
}

/** Resolves when the host has said all it will say. */
function readHost(
  stdin: Readable,
  maxMessageBytes: number,
  messages: HostMessages,
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
      if (messages.unsentBytes <= MAX_UNSENT_BYTES) return;
      stdin.pause();
      void messages.whenSent().then(() => stdin.resume());
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
