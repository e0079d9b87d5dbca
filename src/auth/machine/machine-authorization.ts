import type { DrawbridgeError } from '../../errors.ts';
import { CredentialAuthorization } from '../credential/credential-authorization.ts';
import type { ReplaceToken } from '../credential/token-replacement.ts';
import { GrantRefusedError } from '../errors/errors.ts';
import { assertionHash } from './assertion-hash.ts';
import type { MachineAuthorizationOptions } from './machine-token.ts';

/** A refusal is final for the same input; after this time the server's operators may have changed its configuration. */
const REFUSED_PAUSE_MS = 10 * 60_000;

/** The authorization of a bridge without a sign-in: a new token whenever the last one expires, obtained once for all processes. */
export function createMachineAuthorization(options: MachineAuthorizationOptions): CredentialAuthorization {
  const { store, key, server, resource, clock, random, logger, proofMemory, closeStore } = options;
  return new CredentialAuthorization({
    store,
    key,
    identity: { server, resource },
    clock,
    random,
    logger,
    proofMemory,
    closeStore,
    replaceToken: obtainToken(options),
  });
}

function obtainToken(options: MachineAuthorizationOptions): ReplaceToken {
  const { clock } = options;
  let refused: { readonly error: DrawbridgeError; readonly at: number; readonly input: string } | undefined;
  return async (stale, challenge, signal) => {
    const input = assertionHash(options.machineGrant, options.readFile);
    const isPause = refused !== undefined && clock.monotonic() - refused.at < REFUSED_PAUSE_MS;
    if (refused !== undefined && isPause && refused.input === input) throw refused.error;
    try {
      const { obtainShared } = await import('./machine-token.ts');
      return { kind: 'usable', record: await obtainShared(options, stale, challenge, signal) };
    } catch (error) {
      if (error instanceof GrantRefusedError) refused = { error, at: clock.monotonic(), input };
      throw error;
    }
  };
}
