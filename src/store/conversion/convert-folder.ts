import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readOwnFile, removeFile, replaceFile } from '../files/atomic-file.ts';
import { MAX_RECORD_BYTES } from '../files/record-size.ts';
import { LockTimeoutError, systemCode } from '../files/store-errors.ts';
import { type LockDeps, withFileLock } from '../lock/file-lock.ts';
import { rewriteFile } from '../record/rewrite-file.ts';
import { readReservations } from '../reservation/reservation.ts';
import { readResponseFile } from '../reservation/response-file.ts';
import type { FolderSealing, RecordForm } from '../sealing/folder-sealing.ts';

/** How long to wait for a process that is refreshing a login, in milliseconds: a token request has 30 s. */
const BUSY_MS = 40_000;
const LOOK_MS = 250;
/** As for a reservation: an owner that cannot be looked up counts as dead after this long without a heartbeat, in milliseconds. */
const SILENT_MS = 10_000;

/** The part of a folder that is still in its old form. */
export interface Unconverted {
  /** Base name of a file, or the key of a login. */
  readonly name: string;
  /** `busy`: a process is refreshing the login, or was suspended during a refresh. `unsuitable`: not our file, or too large to be sealed. */
  readonly why: 'busy' | 'unsuitable';
}

export interface ConvertOptions extends LockDeps {
  readonly sealing: FolderSealing;
  readonly signal: AbortSignal;
  /** How long to wait for refreshes under way, in milliseconds. */
  readonly busyMs?: number;
}

/**
 * Converts every file of every login to this form, each login under its lock; `form` is what the marker already asks for. Nothing is written in the old form
 * afterwards: a process that read the marker before the change either held the login's lock at that moment, which this function waits for, or finds its staged
 * file gone. A login whose refresh token is reserved is left to the owner of the reservation, which writes the response in the form that it knows. Resolves
 * with what could not be converted; empty: everything was.
 */
export async function convertFolder(
  folder: string,
  form: RecordForm,
  options: ConvertOptions,
): Promise<readonly Unconverted[]> {
  const { clock, signal, busyMs = BUSY_MS } = options;
  const deadline = clock.monotonic() + busyMs;
  let left: Unconverted[] = [];
  let keys = await keysIn(folder);
  for (;;) {
    const busy: string[] = [];
    for (const key of keys) {
      const waitMs = Math.max(0, deadline - clock.monotonic());
      const found = await withFileLock(
        join(folder, `${key}.json`),
        () => convertKey(folder, key, form, options),
        { signal, waitMs },
        options,
      ).catch(busyWhenLocked);
      if (found === 'busy') busy.push(key);
      else left = [...left, ...found];
    }
    if (busy.length === 0) return left;
    if (clock.monotonic() >= deadline)
      return [...left, ...busy.map((name): Unconverted => ({ name, why: 'busy' }))];
    keys = busy;
    await clock.sleep(LOOK_MS, signal);
  }
}

function busyWhenLocked(error: unknown): 'busy' {
  if (error instanceof LockTimeoutError) return 'busy';
  throw error;
}

/** Lists every login with any file. A lock counts as one, because its owner may be about to write the first record. */
async function keysIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return [...new Set(names.flatMap((name) => /^([0-9a-f]{64})\./.exec(name)?.[1] ?? []))];
}

async function convertKey(
  folder: string,
  key: string,
  form: RecordForm,
  { sealing, clock }: ConvertOptions,
): Promise<'busy' | readonly Unconverted[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${key}.`));
  const hashes = new Set(names.flatMap((name) => /^[^.]+\.([^.]+)\.\d+\.claim$/.exec(name)?.[1] ?? []));
  for (const hash of hashes) {
    const states = await readReservations({ folder, key, hash, opener: sealing }, clock.now());
    const isOwned = states.some(
      ({ owner, ageMs }) => owner === 'alive' || (owner === 'unknown' && ageMs < SILENT_MS),
    );
    if (isOwned) return 'busy';
  }
  const left: Unconverted[] = [];
  const rewrite = async (name: string) => {
    if (!(await rewriteFile(join(folder, name), key, form, sealing))) left.push({ name, why: 'unsuitable' });
  };
  // A file that was staged by a process which was suspended or killed: without it, that process's rename fails.
  const staged = names.filter((name) =>
    /^[^.]+\.(json|moving|corrupt-[0-9a-f]+|[^.]+\.\d+\.answer)\.[0-9a-f]+\.tmp$/.test(name),
  );
  for (const name of staged) await removeFile(join(folder, name));
  for (const name of names.filter((each) => /\.(answer|lost)$/.test(each))) {
    const path = join(folder, name);
    if ((await readResponseFile(path, key, sealing)).kind === 'whole') await rewrite(name);
    else await blank(path);
  }
  await rewrite(`${key}.json`);
  await rewrite(`${key}.moving`);
  for (const name of names.filter((each) => /\.corrupt-[0-9a-f]+$/.test(each))) await rewrite(name);
  return left;
}

/** A response that was cut off while it was written: it only says that the token may have been sent. */
async function blank(path: string): Promise<void> {
  const read = await readOwnFile(path, MAX_RECORD_BYTES);
  if (read.kind !== 'bytes' || !read.bytes.some((byte) => byte !== 0x20)) return;
  await replaceFile(path, Buffer.alloc(MAX_RECORD_BYTES, ' '));
}
