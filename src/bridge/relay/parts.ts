import type { Readable } from 'node:stream';
import type { Authorization } from '../../auth/authorization.ts';
import type { HostWriter } from '../../host/writer.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/log/logger.ts';
import type { Random } from '../../platform/random.ts';
import type { ServerCache } from '../../protocol/server-cache.ts';
import type { Transport } from '../../remote/transport/transport.ts';
import type { ToolFilter } from '../tools/tool-filter.ts';

/** The parts of a bridge; the composition builds them. */
export interface BridgeParts {
  readonly stdin: Readable;
  readonly writer: HostWriter;
  /** Authorizes what it sends. */
  readonly transport: Transport;
  readonly authorization: Pick<Authorization, 'close'>;
  readonly memory: ServerCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: string;
  readonly maxMessageBytes: number;
  /** Lists and calls wait for the whole sign-in. */
  readonly wait: boolean;
  /** Hides tools of the server; without it all are offered. */
  readonly toolFilter?: ToolFilter;
  /** How often the server is sent a ping, in milliseconds; without it, never. */
  readonly pingIntervalMs?: number;
  /** Called whenever the session cannot be opened yet: the server is unreachable, a sign-in is needed, or nothing can be done. */
  readonly onUnavailable?: () => void;
  /** Whether the process that started this one has ended. */
  readonly parentIsGone: () => boolean;
}

/** Why the bridge stops: the host closed stdin, a signal arrived, or stdout has no reader any more. */
export type StopReason = 'stdin-ended' | 'signal' | 'host-gone';

/** How it ended. `unanswered`: stdin ended, and a request had to be answered in the server's place because the server took too long. */
export type BridgeOutcome = 'answered' | 'unanswered';
