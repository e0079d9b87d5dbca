import { describeError } from '../../errors.ts';
import type { OpenBrowser } from '../../platform/desktop/browser.ts';
import type { Logger } from '../../platform/log/logger.ts';
import { withoutUndefined } from '../../platform/without-undefined.ts';
import type { Leases, SignInStatus } from '../../store/lease/lease.ts';
import type { ShownCode } from '../grant/authorization-code.ts';

/** Writes the progress of the sign-in for every waiting process: one write after the other, and none after the end. */
export class StatusWriter {
  readonly #key: string;
  readonly #leases: Pick<Leases, 'writeStatus'>;
  #status: SignInStatus;
  #last: Promise<void> = Promise.resolve();

  constructor(leases: Pick<Leases, 'writeStatus'>, key: string, status: SignInStatus) {
    this.#leases = leases;
    this.#key = key;
    this.#status = status;
  }

  write(change: Partial<SignInStatus>): Promise<void> {
    if (this.#status.phase === 'done' || this.#status.phase === 'failed') return this.#last;
    const status = { ...this.#status, ...change };
    this.#status = status;
    this.#last = this.#last.catch(() => {}).then(() => this.#leases.writeStatus(this.#key, status));
    return this.#last;
  }
}

export interface ShowAddressOptions {
  readonly status: StatusWriter;
  /** Undefined: the address is only offered. */
  readonly openBrowser: OpenBrowser | undefined;
  readonly code?: ShownCode | undefined;
  readonly now: () => number;
  readonly logger: Logger;
}

/** `browserOpenedAt` if no browser could be opened: long ago, so that it holds nothing back. */
const NEVER = 0;

/** Offers the address to all processes and opens it once. Does not wait for the browser: the person may be back before the result is known. */
export async function showAddress(address: string, options: ShowAddressOptions): Promise<void> {
  const { status, openBrowser, code, now, logger } = options;
  if (openBrowser === undefined) {
    const { userCode, codeAddress } = code ?? {};
    return status.write({ phase: 'pending', address, ...withoutUndefined({ userCode, codeAddress }) });
  }
  // Written before it is opened: if the process is killed in between, no second tab must follow.
  await status.write({ phase: 'pending', address, browserOpenedAt: now() });
  const report = async () => {
    const outcome = await openBrowser(address).catch((error: unknown) => ({
      kind: 'not-opened' as const,
      reason: describeError(error),
    }));
    if (outcome.kind === 'opened') return;
    logger.inform(
      `No browser could be opened (${outcome.reason}). To sign in, open this address:\n${address}`,
    );
    await status.write({ browserOpenedAt: NEVER });
  };
  void report().catch((error: unknown) => logger.warn('status not written', { error: describeError(error) }));
}
