import { AbortedError } from '../../errors.ts';
import type { BearerChallenge } from '../../protocol/www-authenticate.ts';
import type { Store } from '../../store/port/store.ts';
import type { CredentialRecord, NewRecord } from '../../store/record/record.ts';
import { keepSecretsOf } from '../../store/record/secrets.ts';
import { freshOrReplaced, isSignedIn, type SignedIn } from '../credential/stale-token.ts';
import type { MachineGrantOptions } from '../grant/machine.ts';
import type { CreateGuardedHttp, UserHeaders } from '../http/guarded-fetch.ts';
import { newerRecord, type Stale } from '../refresh/decisions.ts';

/** A machine grant with its record, and the network for its own requests. */
export interface MachineAuthorizationOptions extends MachineGrantOptions {
  readonly store: Store;
  readonly key: string;
  readonly headers?: UserHeaders | undefined;
  readonly allowHttp: boolean;
  readonly createHttp: CreateGuardedHttp;
  /** Closes the store. Absent: nothing to close. */
  readonly closeStore?: (() => Promise<void>) | undefined;
}

/** Replaces a stale credential. The lock makes it one request for all processes; the others find its result. */
export async function obtainShared(
  options: MachineAuthorizationOptions,
  stale: Stale,
  challenge: BearerChallenge | undefined,
  signal: AbortSignal,
): Promise<CredentialRecord> {
  const { store, key, clock, server, resource } = options;
  const identity = { server, resource };
  const findNewer = async () => newerRecord(await store.read(key, identity), stale, clock.now());
  const record = await store.withLock(
    key,
    async (locked) => {
      const found = await locked.read(identity);
      const newer = newerRecord(found, stale, clock.now());
      if (newer !== undefined) return newer;
      const before = found.kind === 'record' ? found.record : undefined;
      const written = await locked.write(await request(options, before, challenge, signal), 'any');
      return written.kind === 'written' ? written.record : undefined;
    },
    { signal, onTurn: findNewer },
  );
  if (record === undefined) throw removedMeanwhile();
  return record;
}

export interface MachineTokenRequest {
  /** A token other than the stored one is required, even if that is valid. */
  readonly forceNew: boolean;
  /** The server's challenge. Called only if a new token is needed. */
  readonly challenge: () => Promise<BearerChallenge | undefined>;
}

/** The token for the commands: the stored one while it is valid, else a new one. Rejects if none is available. */
export async function machineToken(
  options: MachineAuthorizationOptions,
  { forceNew, challenge }: MachineTokenRequest,
  signal: AbortSignal,
): Promise<SignedIn> {
  const { store, key, clock, server, resource } = options;
  const found = await store.read(key, { server, resource });
  const stored = found.kind === 'record' && isSignedIn(found.record) ? found.record : undefined;
  keepSecretsOf(stored);
  const wanted = { now: clock.now(), forceNew, signal };
  const record = await freshOrReplaced(stored, wanted, async (stale) =>
    obtainShared(options, stale, await challenge(), signal),
  );
  keepSecretsOf(record);
  if (record === undefined) throw removedMeanwhile();
  return record;
}

function removedMeanwhile(): AbortedError {
  return new AbortedError('the credential was removed meanwhile');
}

async function request(
  options: MachineAuthorizationOptions,
  before: CredentialRecord | undefined,
  challenge: BearerChallenge | undefined,
  signal: AbortSignal,
): Promise<NewRecord> {
  const [{ obtainCredential }, { withGuardedFetch }, { withUnion }] = await Promise.all([
    import('../grant/machine.ts'),
    import('../http/guarded-fetch.ts'),
    import('../credential/step-up.ts'),
  ]);
  const { createHttp, headers, allowHttp, clock } = options;
  const access = { server: new URL(options.server), headers, allowHttp, clock, createHttp };
  return withGuardedFetch(access, (fetch) => {
    const wanted = withUnion(challenge ?? {}, before);
    return obtainCredential({ ...options, fetch }, wanted, before?.dpopKey, signal);
  });
}
