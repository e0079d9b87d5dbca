import { tokenHash } from '../../store/record/key.ts';
import type { MachineGrantOptions } from '../grant/machine.ts';

/** What a machine grant presents and others renew, by its hash: while it stays the same, so does the answer. */
export function assertionHash({
  machineGrant: grant,
  readFile,
}: Pick<MachineGrantOptions, 'machineGrant' | 'readFile'>): string {
  if (grant.kind === 'client_credentials') return '';
  const file = grant.kind === 'jwt-bearer' ? grant.assertionFile : grant.idTokenFile;
  try {
    return tokenHash(readFile(file).trim());
  } catch {
    // The grant itself says why.
    return 'unreadable';
  }
}
