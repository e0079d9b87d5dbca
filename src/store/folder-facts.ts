import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What can be seen of the folder with the logins, without creating or changing anything. */
export interface FolderFacts {
  readonly exists: boolean;
  readonly writable: boolean;
  /** Absent on Windows. */
  readonly ownedByOther?: boolean | undefined;
  /** Other users may write to it. */
  readonly openToOthers?: boolean | undefined;
  readonly freeBytes?: number | undefined;
  /** Another machine may change the files, or see a change late. */
  readonly shared?: 'network' | 'synced' | undefined;
}

/** `statfs` types of Linux (statfs(2)): NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph. */
const NETWORK_TYPES = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x00c36400]);
const SYNCED =
  /[\\/](OneDrive[^\\/]*|Dropbox|Google Drive|GoogleDrive[^\\/]*|Nextcloud|Mobile Documents|CloudStorage)[\\/]/i;

/** Looks at the folder, or at its nearest existing parent. Rejects with the system's error. */
export async function folderFacts(folder: string): Promise<FolderFacts> {
  const there = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const at = there === undefined ? await nearest(folder) : folder;
  const [writable, space] = await Promise.all([
    access(at, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    ),
    statfs(at).catch(() => undefined),
  ]);
  const user = process.getuid?.();
  const shared = SYNCED.test(`${folder}/`) ? 'synced' : isNetwork(space?.type) ? 'network' : undefined;
  return {
    exists: there !== undefined,
    writable,
    ownedByOther: there && user !== undefined ? there.uid !== user : undefined,
    openToOthers: there && user !== undefined ? (there.mode & 0o022) !== 0 : undefined,
    freeBytes: space && space.bavail * space.bsize,
    shared,
  };
}

async function nearest(folder: string): Promise<string> {
  for (let at = dirname(folder); ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere || at === dirname(at)) return at;
  }
}

function isNetwork(type: number | undefined): boolean {
  return process.platform === 'linux' && type !== undefined && NETWORK_TYPES.has(type);
}
