import type { MachineGrant } from '../../protocol/oauth-settings.ts';
import { tokenHash } from '../../store/record/key.ts';

/** What a machine grant presents and others renew, by its hash: while it stays the same, so does the answer. */
export function assertionHash(grant: MachineGrant, readFile: (path: string) => string): string {
  if (grant.kind === 'client_credentials') return '';
  const file = grant.kind === 'jwt-bearer' ? grant.assertionFile : grant.idTokenFile;
  try {
    return tokenHash(readFile(file).trim());
  } catch {
    // The grant itself says why.
    return 'unreadable';
  }
}
