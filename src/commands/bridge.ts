import { runBridge } from '../bridge/bridge.ts';
import type { BridgeOutcome, BridgeParts } from '../bridge/relay/parts.ts';

/** What the default command needs. */
export interface BridgeCommandParts extends BridgeParts {
  /** Saves state for the next start and closes the connections. */
  readonly finish: () => Promise<void>;
}

/** The default command: relays messages until the host closes stdin or `stop` aborts. Rejects only on a bug in the program. */
export async function bridge(parts: BridgeCommandParts, stop: AbortSignal): Promise<BridgeOutcome> {
  try {
    return await runBridge(parts, stop);
  } finally {
    await parts.finish();
  }
}
