import { runBridge } from '../bridge/bridge.ts';
import type { BridgeOutcome, BridgeParts } from '../bridge/relay/parts.ts';

export interface BridgeCommandParts extends BridgeParts {
  /** Writes down what is to be remembered, drops connections. */
  readonly finish: () => Promise<void>;
}

/** The default command: relays until the host ends or `stop` aborts. Rejects when the program itself is wrong. */
export async function bridge(parts: BridgeCommandParts, stop: AbortSignal): Promise<BridgeOutcome> {
  try {
    return await runBridge(parts, stop);
  } finally {
    await parts.finish();
  }
}
