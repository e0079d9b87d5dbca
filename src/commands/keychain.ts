import { DrawbridgeError, describeError } from '../errors.ts';
import type { Logger } from '../platform/log/logger.ts';
import { quote } from '../protocol/quote.ts';
import type { SealingOverview, Turned } from '../store/conversion/seal-folder.ts';

/** What the commands `keychain on`, `off` and `status` need. */
export interface KeychainParts {
  /** Where the logins are. */
  readonly folder: string;
  readonly turnOn: () => Promise<Turned>;
  /** Undefined: the logins were not sealed. */
  readonly turnOff: () => Promise<Turned | undefined>;
  readonly read: () => Promise<SealingOverview>;
  /** Resolves if the keychain has the key. Rejects with KeychainError. */
  readonly tryKey: (backend: string, keyId: string) => Promise<unknown>;
  readonly logger: Logger;
}

/** `keychain on`: true when everything is sealed. Rejects with KeychainError, and then nothing has changed. */
export async function keychainOn({ folder, turnOn, logger }: KeychainParts): Promise<boolean> {
  const turned = await turnOn();
  if (tellLeft(turned, logger)) return false;
  logger.inform(
    `The logins in ${quote(folder)} are sealed. Their key (${turned.keyId}) is in ${nameOf(turned.backend)}.`,
  );
  return true;
}

/** `keychain off`: true when nothing is sealed any more. Rejects with KeychainError, and then nothing has changed. */
export async function keychainOff({ folder, turnOff, logger }: KeychainParts): Promise<boolean> {
  const turned = await turnOff();
  if (turned === undefined) {
    logger.inform(`The logins in ${quote(folder)} are not sealed.`);
    return true;
  }
  if (tellLeft(turned, logger)) return false;
  logger.inform(
    `The logins in ${quote(folder)} are plain files again; their key is no longer in ${nameOf(turned.backend)}.`,
  );
  return true;
}

/** True: files remain to be converted. */
function tellLeft({ left }: Turned, logger: Logger): boolean {
  for (const { name, why } of left) {
    logger.inform(
      why === 'busy'
        ? `Not finished: a process is refreshing the login ${name}, or was suspended during a refresh.`
        : `Not sealed: ${quote(name)} is not a file of this program, or is too large.`,
    );
  }
  if (left.length > 0) logger.inform('Run the same command again when this has changed.');
  return left.length > 0;
}

/** What `keychain status --json` prints. */
export interface KeychainStatus {
  readonly folder: string;
  readonly state: 'off' | 'on' | 'turning-on' | 'turning-off';
  readonly backend?: string | undefined;
  readonly keyId?: string | undefined;
  /** How many files with logins are sealed, and how many are not. */
  readonly sealed: number;
  readonly plain: number;
  /** Absent: the keychain has the key. */
  readonly problem?: { readonly code: string; readonly text: string; readonly wayOut?: string | undefined };
}

/** Reads the folder and requests the key from the keychain. Changes nothing. */
export async function keychainStatus({ folder, read, tryKey }: KeychainParts): Promise<KeychainStatus> {
  const { marker, sealed, plain } = await read();
  const found = { folder, state: marker?.state ?? 'off', sealed, plain } as const;
  if (marker === undefined) return found;
  const { backend, keyId } = marker;
  try {
    await tryKey(backend, keyId);
    return { ...found, backend, keyId };
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    const problem = { code: error.code, text: describeError(error), wayOut: error.hint };
    return { ...found, backend, keyId, problem };
  }
}

/** Whether nothing has to be done. */
export function isInOrder({ state, plain, problem }: KeychainStatus): boolean {
  return state === 'off' || (state === 'on' && plain === 0 && problem === undefined);
}

/** What `keychain status` prints. */
export function keychainLines({
  folder,
  state,
  backend = '',
  keyId,
  sealed,
  plain,
  problem,
}: KeychainStatus): string {
  if (state === 'off') return `Not sealed: the logins in ${quote(folder)} are plain files (${plain}).\n`;
  const lines = [
    state === 'on'
      ? `Sealed: the logins in ${quote(folder)}, under the key ${keyId} in ${nameOf(backend)}.`
      : `Not finished: the logins in ${quote(folder)} are being ${state === 'turning-on' ? 'sealed' : 'made plain'}. Run \`keychain ${state === 'turning-on' ? 'on' : 'off'}\`.`,
    `Sealed files: ${sealed}. Plain files: ${plain}.`,
  ];
  if (state === 'on' && plain > 0)
    lines.push('An earlier version of this program has written plain files; `keychain on` seals them.');
  lines.push(
    problem === undefined ? 'The keychain has the key.' : `${problem.text}. ${problem.wayOut ?? ''}`.trim(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

function nameOf(backend: string): string {
  return backend === 'system'
    ? "the system's keychain"
    : `docker-credential-${backend.slice('helper:'.length)}`;
}
