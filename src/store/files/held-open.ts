import { type Clock, systemClock } from '../../platform/clock.ts';
import { systemCode } from './store-errors.ts';

/** Virus scanners and search indexers hold a new file for some seconds at most (test/README.md, fault 31). */
const RETRY_LIMIT_MS = 10_000;
const PAUSE_MS = 50;

export interface RetryDeps {
  readonly platform: NodeJS.Platform;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
}

/**
 * Windows refuses to replace or remove a file that anyone has open, and to open one that is not shared, or that was removed while still being read: EPERM,
 * EACCES, EBUSY. On other systems these codes have their usual meaning.
 */
export async function retryWhileHeldOpen<T>(
  operation: () => Promise<T>,
  { platform, clock }: RetryDeps = { platform: process.platform, clock: systemClock },
): Promise<T> {
  const deadline = clock.monotonic() + RETRY_LIMIT_MS;
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (platform !== 'win32' || !isHeldOpen(error) || clock.monotonic() >= deadline) throw error;
      await clock.sleep(PAUSE_MS);
    }
  }
}

/** Windows' codes for a file that another program has open. */
export function isHeldOpen(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'EPERM' || code === 'EACCES' || code === 'EBUSY';
}
