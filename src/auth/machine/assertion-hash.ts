import type { MachineGrant } from '../../protocol/oauth-settings.ts';
import { tokenHash } from '../../store/record/key.ts';

/** The hash of an assertion that a machine grant presents and others renew: the same assertion gets the same response. */
export function assertionHash(grant: MachineGrant, readFile: (path: string) => string): string {
  if (grant.kind === 'client_credentials') return '';
  const file = grant.kind === 'jwt-bearer' ? grant.assertionFile : grant.idTokenFile;
  try {
    return tokenHash(readFile(file).trim());
  } catch {
    // The grant itself reports the reason.
    return 'unreadable';
  }
}
