import type { ToolEnd } from '../platform/process/run-tool.ts';
import {
  KEYCHAIN_SERVICE,
  type Keychain,
  type KeychainAnswer,
  type KeychainFailure,
  type KeychainOutcome,
} from './keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { defaultState, failureOfBus, itemState, openBus, type SessionBus } from './secret-service-state.ts';
import { absent, failureOf } from './tool.ts';

const TOOL_WAY =
  'Install it: `sudo apt install libsecret-tools` (Debian, Ubuntu) or `sudo dnf install libsecret` (Fedora).';

/** The keychain of a Linux desktop: GNOME's keyring, KWallet or KeePassXC, through libsecret's `secret-tool`. */
export class SecretService implements Keychain {
  readonly name = 'the Secret Service';
  readonly #ports: KeychainPorts;

  constructor(ports: KeychainPorts) {
    this.#ports = ports;
  }

  async read(account: string): Promise<KeychainAnswer> {
    const session = await this.#session();
    if ('kind' in session) return session;
    const state = await readableItem(account, session.bus);
    if (state !== 'readable' && state !== 'unknown') return state;
    const end = await session.secretTool(['lookup', ...attributes(account)]);
    if (end.kind === 'exited' && end.code === 0) return { kind: 'found', secret: end.stdout };
    if (end.kind !== 'exited' || end.stderr.trim() !== '') return failed(account, end);
    // Silent. If its state is known, it was unlocked a moment ago.
    return state === 'readable'
      ? locked(account)
      : {
          kind: 'failed',
          text: 'it cannot be told whether the keychain is locked or has no such item: neither busctl nor gdbus is installed',
          wayOut:
            'Install one of them: `sudo apt install libglib2.0-bin` (Debian, Ubuntu) or `sudo dnf install glib2` (Fedora).',
        };
  }

  async write(account: string, secret: string): Promise<KeychainOutcome> {
    const session = await this.#session();
    if ('kind' in session) return session;
    const state = await defaultState(session.bus);
    if (state.kind === 'locked') return locked(account);
    if ('text' in state) return state;
    const end = await session.secretTool(
      ['store', `--label=${KEYCHAIN_SERVICE}`, ...attributes(account)],
      secret,
    );
    return end.kind === 'exited' && end.code === 0 ? { kind: 'done' } : failed(account, end);
  }

  async erase(account: string): Promise<KeychainOutcome> {
    const session = await this.#session();
    if ('kind' in session) return session;
    const state = await readableItem(account, session.bus);
    if (state !== 'readable' && state !== 'unknown') return state;
    const end = await session.secretTool(['clear', ...attributes(account)]);
    if (end.kind === 'exited' && end.code === 0) return { kind: 'done' };
    const isSilent = end.kind === 'exited' && end.stdout.trim() === '' && end.stderr.trim() === '';
    return isSilent ? { kind: 'not-found' } : failed(account, end);
  }

  async #session(): Promise<Session | KeychainFailure> {
    const secretTool = this.#ports.find('secret-tool');
    if (secretTool === undefined) return absent('secret-tool', TOOL_WAY);
    const bus = await openBus(this.#ports);
    if ('kind' in bus) return bus;
    return {
      bus,
      secretTool: (args, stdin) => bus.run({ command: secretTool, args, ...(stdin && { stdin }) }),
    };
  }
}

interface Session {
  readonly bus: SessionBus;
  readonly secretTool: (args: readonly string[], stdin?: string) => Promise<ToolEnd>;
}

function attributes(account: string): string[] {
  return ['service', KEYCHAIN_SERVICE, 'account', account];
}

/** If the item is missing and the keychain is locked, the keychain may not have shown everything (KeePassXC then shows nothing). */
async function readableItem(
  account: string,
  bus: SessionBus,
): Promise<'readable' | 'unknown' | { readonly kind: 'not-found' } | KeychainFailure> {
  const item = await itemState(account, bus);
  switch (item.kind) {
    case 'unlocked':
      return 'readable';
    case 'unknown':
      return 'unknown';
    case 'locked':
      return locked(account);
    case 'not-found': {
      const collection = await defaultState(bus);
      if (collection.kind === 'locked') return locked(account);
      return 'text' in collection ? collection : { kind: 'not-found' };
    }
    default:
      return item;
  }
}

/** The first prompts in a window, if there is a display; the second, which a test runs, reads the password from the terminal. */
function locked(account: string): KeychainFailure {
  const lookup = `secret-tool lookup ${attributes(account).join(' ')} >/dev/null`;
  // In any shell: POSIX knows no `read -s`. Whoever presses Ctrl-C sees again what they type.
  const unlock =
    "(trap 'stty echo; exit 1' INT; stty -echo; IFS= read -r p; stty echo; " +
    'printf %s "$p" | gnome-keyring-daemon --replace --unlock --components=secrets)';
  return {
    kind: 'locked',
    text: 'the keychain of the desktop is locked',
    wayOut: `Unlock it: on its desktop run \`${lookup}\`, which asks for the password, or without a desktop, with GNOME's keyring, \`${unlock}\`.`,
  };
}

function failed(account: string, end: ToolEnd): KeychainFailure {
  const words = end.kind === 'exited' ? end.stderr : '';
  if (
    /locked collection|prompt (?:was )?dismissed|no such object path|no such secret collection/i.test(words)
  )
    return locked(account);
  const failure = failureOfBus(end);
  if (failure.kind === 'absent' || failure.kind === 'no-bus') return failure;
  const { wayOut } = locked(account);
  return failureOf('secret-tool', end, { whenSilent: wayOut, otherwise: wayOut });
}
