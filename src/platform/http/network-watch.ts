import { networkInterfaces } from 'node:os';
import { systemClock } from '../clock.ts';

/** The shortest time between two checks: a check costs about as much as relaying one call. */
const LOOK_EVERY_MS = 1_000;

/** The current addresses of this machine, as one string to compare. */
export function networkAddresses(): string {
  return Object.entries(networkInterfaces())
    .flatMap(([name, all = []]) => all.map(({ address }) => `${name} ${address}`))
    .join('\n');
}

/**
 * Notices when the machine's addresses change. When an interface disappears (another Wi-Fi, a VPN, a cable), the connections over it are
 * not told, and the kernel tries for up to 15 minutes to deliver what is sent on them.
 */
export class NetworkWatch {
  readonly #addresses: () => string;
  #seen: string | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(addresses: () => string) {
    this.#addresses = addresses;
  }

  /** Whether the addresses differ from those of the last check. Cheap enough to call before each request; false the first time. */
  changed(): boolean {
    const now = systemClock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return false;
    this.#lookedAt = now;
    const before = this.#seen;
    this.#seen = this.#addresses();
    return before !== undefined && before !== this.#seen;
  }
}
