import { access, constants } from 'node:fs/promises';
import { describeError } from '../errors.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log/logger.ts';
import { systemRandom } from '../platform/random.ts';
import { ensureFolder } from './files/atomic-file.ts';
import { type StorePaths, storePaths, usualHome } from './files/paths.ts';
import { leavePointer } from './files/pointer.ts';
import { asStoreErrors, StoreReadOnlyError, systemCode } from './files/store-errors.ts';
import type { LockDeps } from './lock/file-lock.ts';
import type { FileStore } from './port/file-store.ts';
import type { FolderSealing } from './sealing/folder-sealing.ts';
import type { OpenKeeper } from './sealing/keychain-keys.ts';
import { readMarker } from './sealing/marker.ts';
import { sealingOf } from './system-keychain.ts';

export { sealingOf } from './system-keychain.ts';

export interface StoreOptions {
  /** MCP_DRAWBRIDGE_HOME. */
  readonly home: string | undefined;
  /** `--store memory`: the disk is neither read nor written. */
  readonly memory?: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: LockDeps['random'];
  /** `--keychain`: seals the folder before its first use, if it is not sealed yet. */
  readonly keychain?: string | undefined;
  /** The keychain with the key of sealed logins; by default one of this machine's. */
  readonly openKeychain?: OpenKeeper;
}

/** The file system is not writable, now or later; a full disk (ENOSPC) is a different case. */
export const READ_ONLY = new Set(['EACCES', 'EPERM', 'EROFS']);

/** Creates missing folders. Rejects with StoreInsecureError if another user owns them or could change them. */
export async function openStore(options: StoreOptions): Promise<FileStore> {
  const { home, logger, clock = systemClock, random = systemRandom } = options;
  const paths = storePaths(home);
  const sealing = sealingOf(paths.credentials, options.openKeychain, clock);
  if (options.memory === true) {
    const { MemoryStore } = await import('./memory-store.ts');
    return new MemoryStore(paths.credentials, false, sealing);
  }
  try {
    await ensureFolder(paths.home);
    await ensureFolder(paths.credentials);
    await access(paths.credentials, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || !READ_ONLY.has(code))
      return asStoreErrors(paths.home, () => Promise.reject(error));
    if (options.keychain !== undefined && (await readMarker(paths.credentials)) === undefined) {
      throw new StoreReadOnlyError(
        `the logins in ${paths.home} are not sealed, and that folder is read-only`,
        {
          hint: 'Make it writable and run `keychain on`, or leave out --keychain.',
        },
      );
    }
    return openReadOnly(paths, code, { logger, clock, random, sealing });
  }
  if (paths.because === 'xdg') await pointTo(paths.home, logger);
  const { DiskStore } = await import('./disk-store.ts');
  const { keychain } = options;
  const prepare =
    keychain === undefined
      ? undefined
      : onceDone(() => prepareSealed(paths.credentials, keychain, { clock, random, sealing }));
  return new DiskStore(paths.credentials, { clock, random }, sealing, prepare);
}

/** A process with a configured keychain uses only a sealed folder. */
async function prepareSealed(
  folder: string,
  keychain: string,
  deps: LockDeps & { readonly sealing: FolderSealing },
): Promise<void> {
  await asStoreErrors(folder, async () => {
    if ((await readMarker(folder))?.state === 'on') return;
    const { ensureOn } = await import('./conversion/seal-folder.ts');
    await ensureOn(folder, keychain, { ...deps, signal: new AbortController().signal });
  });
}

/** Runs `run` until it has succeeded once. Concurrent callers share one run. */
function onceDone(run: () => Promise<void>): () => Promise<void> {
  let doing: Promise<void> | undefined;
  return () => {
    doing ??= run().catch((error: unknown) => {
      doing = undefined;
      throw error;
    });
    return doing;
  };
}

/** Lets a program of this user whose host withholds XDG_DATA_HOME find the same logins. */
async function pointTo(home: string, logger: Logger): Promise<void> {
  try {
    await leavePointer(usualHome(), home);
  } catch (error) {
    logger.debug('no pointer to the store was left', { error: describeError(error) });
  }
}

async function openReadOnly(
  { home, credentials }: StorePaths,
  code: string,
  {
    logger,
    clock,
    random,
    sealing,
  }: LockDeps & Pick<StoreOptions, 'logger'> & { readonly sealing: FolderSealing },
): Promise<FileStore> {
  const { findRuntimeFolder } = await import('./files/runtime-folder.ts');
  const runtime = await findRuntimeFolder(home);
  if (runtime === undefined) {
    logger.warn('store is read-only: logins last as long as this process, and are not shared', {
      file: home,
      code,
    });
    const { MemoryStore } = await import('./memory-store.ts');
    return new MemoryStore(credentials, true, sealing);
  }
  logger.warn('store is read-only: what changes is kept elsewhere, until the machine restarts', {
    file: home,
    code,
  });
  const [{ DiskStore }, { ReadOnlyStore }] = await Promise.all([
    import('./disk-store.ts'),
    import('./read-only-store.ts'),
  ]);
  return new ReadOnlyStore(credentials, new DiskStore(runtime, { clock, random }, sealing), sealing);
}
