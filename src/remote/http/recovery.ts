import type { RecoveryCounts } from './message-options.ts';
import { type Refusal, wantsScope } from './refusal.ts';

/** How often another token is obtained for one message after a 401; then the message is given up. */
export const MAX_RECOVERIES = 3;

/** MCP, Authorization → Step-Up: a refusal after the second consent is final (.github/SECURITY.md, attack 23). */
export const MAX_STEP_UPS = 2;

/** Before any token was requested. */
export const NO_RECOVERIES: RecoveryCounts = { recoveries: 0, stepUps: 0 };

/**
 * The counts after another token is requested because of this refusal; undefined if none is: the refusal is not about the token, or the message has used up its
 * attempts.
 */
export function nextRecovery(
  refusal: Pick<Refusal, 'status' | 'wwwAuthenticate'>,
  { recoveries, stepUps }: RecoveryCounts,
): RecoveryCounts | undefined {
  if (refusal.status === 401) {
    return recoveries < MAX_RECOVERIES ? { recoveries: recoveries + 1, stepUps } : undefined;
  }
  return wantsScope(refusal) && stepUps < MAX_STEP_UPS ? { recoveries, stepUps: stepUps + 1 } : undefined;
}
