import type { SignedIn } from '../auth/credential/valid-token.ts';
import type { Logger } from '../platform/log/logger.ts';
import { quote, quoteAddress } from '../protocol/quote.ts';

export interface MachineLoginParts {
  readonly server: string;
  /** As `--grant` names it. */
  readonly grant: string;
  /** Asks for a new token, whatever is stored. */
  readonly obtain: (signal: AbortSignal) => Promise<SignedIn>;
  readonly logger: Pick<Logger, 'inform'>;
}

/** `login URL` with a grant that asks nobody: says so, and tries it, so that a mistake in the settings shows here. */
export async function loginMachine(parts: MachineLoginParts, signal: AbortSignal): Promise<void> {
  const { server, grant, obtain, logger } = parts;
  logger.inform(`Nobody needs to sign in to ${quoteAddress(server)} with --grant ${grant}. Trying it now.`);
  const { issuer } = await obtain(signal);
  logger.inform(`${quote(issuer)} has issued a token: it works.`);
}
