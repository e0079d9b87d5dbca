import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { CanaryOracle } from '../worlds/threats/canary-oracle.ts';
import type { ComposedBridge } from './composed-bridge.ts';

/** A header of the user's as a canary, and a logger that keeps what it is told. */
export class UserHeader {
  readonly value = 'canary-of-the-user-header';
  readonly headers = [['X-Api-Key', this.value]] as const;
  readonly told: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    warn: (event, fields) => void this.told.push(JSON.stringify([event, fields])),
    debug: (event, fields) => void this.told.push(JSON.stringify([event, fields])),
  };

  /** Where it is seen although only the server may see it. */
  leaks(bridge: ComposedBridge): string[] {
    return new CanaryOracle()
      .secret('header', this.value, ['the server'])
      .place('stdout', () => bridge.received.entries.map(({ line }) => line))
      .place('the log', () => this.told)
      .leaks();
  }
}
