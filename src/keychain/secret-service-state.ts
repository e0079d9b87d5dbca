import { desktopEnvironment } from '../platform/process/child-environment.ts';
import type { ToolEnd, ToolRequest } from '../platform/process/run-tool.ts';
import { KEYCHAIN_SERVICE, type KeychainFailure } from './keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { failureOf, said } from './tool.ts';

/** The Secret Service's report about an item, without opening it. */
export type ItemState =
  | { readonly kind: 'unlocked' | 'locked' | 'not-found' }
  /** No program to query it is installed. */
  | { readonly kind: 'unknown' }
  | KeychainFailure;

/** The state of the collection for new items. `none`: there is no such collection yet. */
export type DefaultState = { readonly kind: 'unlocked' | 'locked' | 'none' | 'unknown' } | KeychainFailure;

/** The D-Bus session of this user, and the programs to query it: one of systemd and one of GLib. Most systems have both. */
export interface SessionBus {
  readonly busctl: string | undefined;
  readonly gdbus: string | undefined;
  readonly run: (
    request: Pick<ToolRequest, 'command' | 'args'> & { readonly stdin?: string },
  ) => Promise<ToolEnd>;
}

/** The address of the bus, which many hosts withhold. Without it nothing is run: GLib would start another bus on the display, and leave it running. */
export async function openBus({
  env,
  path,
  find,
  run,
  limitMs,
  findBus,
}: KeychainPorts): Promise<SessionBus | KeychainFailure> {
  const address = await findBus();
  if (address === undefined)
    return noBus('DBUS_SESSION_BUS_ADDRESS is not set, and no socket is where systemd makes it');
  // The messages are matched below.
  const known = { ...desktopEnvironment(env), PATH: path, DBUS_SESSION_BUS_ADDRESS: address, LC_ALL: 'C' };
  return {
    busctl: find('busctl'),
    gdbus: find('gdbus'),
    run: ({ command, args, stdin = '' }) => run({ command, args, stdin, env: known, limitMs }),
  };
}

const NAME = 'org.freedesktop.secrets';
const PATH = '/org/freedesktop/secrets';
/** freedesktop.org, Secret Service API, chapter 13. */
const SERVICE = 'org.freedesktop.Secret.Service';
const COLLECTION = 'org.freedesktop.Secret.Collection';

export const NO_PROVIDER_WAY =
  'Install one and log in again: gnome-keyring, KWallet (as Secret Service) or KeePassXC. Without a desktop, a helper such as helper:pass needs none.';
export const NO_BUS_WAY =
  'Log in to the desktop, or run `systemctl --user start dbus.socket`. Without a session of its own, a helper such as helper:pass needs no D-Bus.';
const WAYS = {
  whenSilent:
    'Restart what keeps the secrets, such as `gnome-keyring-daemon --replace --daemonize --components=secrets`.',
  otherwise: 'Ask it by hand: `busctl --user status org.freedesktop.secrets`.',
};

/** Whether the item exists, and is locked. `secret-tool lookup` prints nothing in both cases, and first asks the person for the password. */
export async function itemState(account: string, bus: SessionBus): Promise<ItemState> {
  const { busctl, gdbus, run } = bus;
  const end =
    busctl !== undefined
      ? await run({
          command: busctl,
          args: [...CALL, 'SearchItems', 'a{ss}', '2', 'service', KEYCHAIN_SERVICE, 'account', account],
        })
      : gdbus !== undefined
        ? await run({
            command: gdbus,
            args: [
              ...GDBUS,
              `${SERVICE}.SearchItems`,
              `{'service': '${KEYCHAIN_SERVICE}', 'account': '${account}'}`,
            ],
          })
        : undefined;
  if (end === undefined) return { kind: 'unknown' };
  const found = end.kind === 'exited' && end.code === 0 ? itemsIn(end.stdout) : undefined;
  if (found === undefined) return failureOfBus(end);
  if (found.unlocked > 0) return { kind: 'unlocked' };
  return { kind: found.locked > 0 ? 'locked' : 'not-found' };
}

/** Whether a new item could be written: the collection that the alias `default` names. */
export async function defaultState(bus: SessionBus): Promise<DefaultState> {
  const { busctl, gdbus, run } = bus;
  if (busctl === undefined && gdbus === undefined) return { kind: 'unknown' };
  const alias = await run(
    busctl !== undefined
      ? { command: busctl, args: [...CALL, 'ReadAlias', 's', 'default'] }
      : { command: gdbus ?? '', args: [...GDBUS, `${SERVICE}.ReadAlias`, 'default'] },
  );
  const path = alias.kind === 'exited' && alias.code === 0 ? pathIn(alias.stdout) : undefined;
  if (path === undefined) return failureOfBus(alias);
  if (path === '/') return { kind: 'none' };
  const locked = await run(
    busctl !== undefined
      ? { command: busctl, args: ['--user', 'get-property', NAME, path, COLLECTION, 'Locked'] }
      : {
          command: gdbus ?? '',
          args: [
            ...['call', '--session', '--dest', NAME, '--object-path', path],
            ...['--method', 'org.freedesktop.DBus.Properties.Get', COLLECTION, 'Locked'],
          ],
        },
  );
  const isLocked = locked.kind === 'exited' && locked.code === 0 ? booleanIn(locked.stdout) : undefined;
  if (isLocked === undefined) return failureOfBus(locked);
  return { kind: isLocked ? 'locked' : 'unlocked' };
}

const CALL = ['--user', 'call', NAME, PATH, SERVICE];
const GDBUS = ['call', '--session', '--dest', NAME, '--object-path', PATH, '--method'];

/**
 * The numbers of unlocked and of locked items. busctl: `aoao 1 "/org/…/1" 0`; gdbus: `([objectpath '/org/…/1'], @ao [])`. Undefined for anything else.
 */
export function itemsIn(text: string): { readonly unlocked: number; readonly locked: number } | undefined {
  const [, unlocked, locked] =
    /^aoao (\d{1,6})(?: "[^"\n]*")* (\d{1,6})(?: "[^"\n]*")*$/.exec(text.trim()) ?? [];
  if (unlocked !== undefined) return { unlocked: Number(unlocked), locked: Number(locked) };
  const [, open, closed] = /^\((?:@ao )?\[([^\]\n]*)\], (?:@ao )?\[([^\]\n]*)\]\)$/.exec(text.trim()) ?? [];
  if (open === undefined || closed === undefined) return undefined;
  return { unlocked: pathsIn(open), locked: pathsIn(closed) };
}

function pathsIn(list: string): number {
  return list.trim() === '' ? 0 : list.split(',').length;
}

/** busctl: `o "/org/…"`; gdbus: `(objectpath '/org/…',)`. */
export function pathIn(text: string): string | undefined {
  return /^(?:o "|\(objectpath ')(\/[\w/]*)(?:"|',\))$/.exec(text.trim())?.[1];
}

/** busctl: `b true`; gdbus: `(<true>,)`. */
export function booleanIn(text: string): boolean | undefined {
  const [, word] = /^(?:b |\(<)(true|false)(?:>,\))?$/.exec(text.trim()) ?? [];
  return word === undefined ? undefined : word === 'true';
}

/** Messages of the D-Bus daemon, of dbus-broker, of systemd and of GLib. */
const NO_PROVIDER = /not provided by any|not activatable|ServiceUnknown|NameHasNoOwner/;
const NO_BUS = /failed to connect to bus|error connecting|cannot autolaunch|could not connect/i;

/** Why the bus, or the service on it, gave no answer. Also for the messages of `secret-tool`. */
export function failureOfBus(end: ToolEnd): KeychainFailure {
  const words = end.kind === 'exited' ? end.stderr || end.stdout : '';
  if (NO_PROVIDER.test(words)) {
    return {
      kind: 'absent',
      text: `nothing on this machine keeps secrets for the desktop (org.freedesktop.secrets): ${said(words)}`,
      wayOut: NO_PROVIDER_WAY,
    };
  }
  if (NO_BUS.test(words)) return noBus(said(words));
  return failureOf('the Secret Service', end, WAYS);
}

function noBus(why: string): KeychainFailure {
  return {
    kind: 'no-bus',
    text: `there is no way to the D-Bus session of this user, in which the keychain is (${why})`,
    wayOut: NO_BUS_WAY,
  };
}
