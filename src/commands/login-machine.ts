import type { SignedIn } from '../auth/credential/valid-token.ts';
import type { Logger } from '../platform/log/logger.ts';
import { quote, quoteAddress } from '../protocol/quote.ts';

/** What `login` needs with a grant that involves no person. */
export interface MachineLoginParts {
  readonly server: string;
  /** The value of `--grant`. */
  readonly grant: string;
  /** Requests a new token, even if one is stored. */
  readonly obtain: (signal: AbortSignal) => Promise<SignedIn>;
  readonly logger: Pick<Logger, 'inform'>;
}

/** `login URL` with a grant that involves no person: says so, and requests a token, so that a mistake in the settings shows at once. */
export async function loginMachine(parts: MachineLoginParts, signal: AbortSignal): Promise<void> {
  const { server, grant, obtain, logger } = parts;
  logger.inform(`No sign-in to ${quoteAddress(server)} is needed with --grant ${grant}. Trying it now.`);
  const { issuer } = await obtain(signal);
  logger.inform(`${quote(issuer)} has issued a token: it works.`);
}
