import { networkInterfaces } from 'node:os';
import { systemClock } from '../clock.ts';

/** How often it is looked whether the network changed: a look costs about as much as a call of the bridge. */
const LOOK_EVERY_MS = 1_000;

/** The addresses that this machine has now, as a text to be compared. */
export function networkAddresses(): string {
  return Object.entries(networkInterfaces())
    .flatMap(([name, all = []]) => all.map(({ address }) => `${name} ${address}`))
    .join('\n');
}

/**
 * Whether the machine's addresses are other than at the last look. When an interface goes (another Wi-Fi, a VPN, a cable), nobody tells the
 * connections that went over it, and the kernel tries for up to 15 minutes to deliver what is sent on one.
 */
export class NetworkWatch {
  readonly #addresses: () => string;
  #seen: string | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(addresses: () => string) {
    this.#addresses = addresses;
  }

  /** Cheap enough to be asked before each request. The first look has nothing to compare with. */
  changed(): boolean {
    const now = systemClock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return false;
    this.#lookedAt = now;
    const before = this.#seen;
    this.#seen = this.#addresses();
    return before !== undefined && before !== this.#seen;
  }
}
