import type { Environment } from '../config/sources/environment.ts';
import { ownCommand } from '../platform/program/program-command.ts';
import { quote } from '../protocol/quote.ts';
import type { FolderFacts } from '../store/folder-facts.ts';
import type { CredentialOverview } from '../store/port/overview.ts';
import { duration } from '../ui/duration.ts';
import { type Check, type Finding, failure, ok, warning } from './check.ts';

export interface MachineCheckDeps {
  readonly nodeVersion: string;
  readonly env: Environment;
  /** Why no sign-in is possible here, in words; undefined if one is. */
  readonly nobody: string | undefined;
  /** Whether a page can be opened in front of the user. */
  readonly hasDesktop: () => Promise<boolean>;
  /** Variables that may be missing in this environment, one sentence each. */
  readonly notes: () => Promise<readonly string[]>;
  readonly folder: string;
  readonly facts: () => Promise<FolderFacts>;
  /** Requests the key, if the logins are sealed. Rejects with KeychainError. */
  readonly sealing: () => Promise<Sealing>;
  /**
   * The report of a shared store's engine, followed by one warning per line. Absent: no store is shared. Rejects with StoreAwayError, and for a key that opens
   * nothing.
   */
  readonly engine?: (() => Promise<readonly string[]>) | undefined;
  readonly overview: () => Promise<readonly CredentialOverview[]>;
  readonly now: () => number;
}

/** Whether the logins of a folder are sealed. */
export type Sealing =
  | { readonly kind: 'none' }
  /** The keychain has their key. */
  | {
      readonly kind: 'sealed';
      /** `system`, or `helper:NAME`. */
      readonly backend: string;
      readonly state: 'on' | 'turning-on' | 'turning-off';
      /** How many logins are plain files nevertheless. */
      readonly plain: number;
    }
  /** This many logins are sealed, and the file that names the keychain is missing. */
  | { readonly kind: 'without-marker'; readonly sealed: number };

/** package.json, engines. */
const LEAST_NODE = [20, 18, 1] as const;
/** Below this, a file for new tokens may not fit, and the disk is about to be full for everyone. */
const LEAST_FREE_BYTES = 10 * 1024 * 1024;
/** A refresh takes a second; a process that holds the lock this long is suspended, or waits for a server that does not answer. Milliseconds. */
const LONG_HELD_MS = 60_000;

/** The checks that need no server. */
export function machineChecks(deps: MachineCheckDeps): readonly Check[] {
  return [
    { id: 'node.version', run: () => nodeFinding(deps.nodeVersion) },
    { id: 'browser', run: () => browserFinding(deps) },
    { id: 'environment', run: () => environmentFinding(deps) },
    { id: 'store.folder', run: async () => folderFinding(deps.folder, await deps.facts()) },
    {
      id: 'keychain',
      needs: ['store.folder'],
      run: async () => sealingFinding(await deps.sealing()),
    },
    ...(deps.engine === undefined ? [] : [engineCheck(deps.engine)]),
    {
      id: 'store.locks',
      needs: [deps.engine === undefined ? 'store.folder' : 'store.engine'],
      run: async () => locksFinding(await deps.overview(), deps.now()),
    },
  ];
}

function engineCheck(engine: () => Promise<readonly string[]>): Check {
  return {
    id: 'store.engine',
    run: async () => {
      const [what = '', ...warnings] = await engine();
      return warnings.length === 0 ? ok(what) : warning(`${what} ${warnings.join(' ')}`);
    },
  };
}

function nodeFinding(version: string): Finding {
  const parts = version.split('.').map(Number);
  const at = LEAST_NODE.findIndex((least, place) => parts[place] !== least);
  const isOld = at !== -1 && (parts[at] ?? 0) < (LEAST_NODE[at] ?? 0);
  return isOld
    ? failure(`Node ${version} is too old`, `Install Node ${LEAST_NODE.join('.')} or later.`)
    : ok(`Node ${version}`);
}

async function browserFinding({ nobody, hasDesktop }: MachineCheckDeps): Promise<Finding> {
  if (nobody !== undefined)
    return warning(
      `${nobody}, so no sign-in starts by itself`,
      `Sign in with ${ownCommand('login', 'URL')}, or pass --interactive.`,
    );
  return (await hasDesktop())
    ? ok('a sign-in page can be opened')
    : warning(
        'no desktop is found, so a sign-in page cannot be opened; its address is shown instead',
        'Open the address on any machine with --no-browser, or use --grant device_code where the server offers it.',
      );
}

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

async function environmentFinding({ env, notes }: MachineCheckDeps): Promise<Finding> {
  const wrong = PROXY_VARIABLES.find((name) => {
    const value = env[name];
    return value !== undefined && value !== '' && !/^https?:\/\/[^/\s]+\/?$/i.test(value);
  });
  if (wrong !== undefined) {
    return failure(
      `${wrong} is not the address of a proxy`,
      'Expected http://HOST:PORT, with http:// or https://.',
    );
  }
  const missing = await notes();
  return missing.length === 0
    ? ok('nothing that this program needs is missing')
    : warning(missing.join(' '), 'Put what is missing into the entry of the host, under "env".');
}

function folderFinding(folder: string, facts: FolderFacts): Finding {
  const at = quote(folder);
  if (facts.ownedByOther === true || facts.openToOthers === true) {
    const why = facts.ownedByOther === true ? 'belongs to another user' : 'can be written to by other users';
    return failure(
      `${at} ${why}, so no login is kept there`,
      'Make it private with chmod 700, or choose another folder with --home DIR.',
    );
  }
  if (!facts.writable) {
    return warning(
      `${at} cannot be written to; what changes is kept elsewhere until the machine restarts`,
      'Choose another folder with --home DIR.',
    );
  }
  if (facts.freeBytes !== undefined && facts.freeBytes < LEAST_FREE_BYTES)
    return failure(`the disk of ${at} is full`, 'Free some space: new tokens cannot be stored.');
  if (facts.shared === 'synced') {
    return warning(
      `${at} is copied to other machines, and each copy of a login uses the same refresh token`,
      'Choose a folder that is not synchronized with --home DIR.',
    );
  }
  if (facts.shared === 'network')
    return warning(`${at} is on a network file system, where a dead process is noticed only by its silence`);
  return ok(facts.exists ? `${at} is private and writable` : `${at} will be created with the first login`);
}

function sealingFinding(sealing: Sealing): Finding {
  if (sealing.kind === 'none') return ok('no keychain is used: logins are files that only you can read');
  if (sealing.kind === 'without-marker') {
    return failure(
      `the logins are sealed (${sealing.sealed}), and keychain.json, which names the keychain, is missing`,
      `Run ${ownCommand('keychain', 'on')}, which finds the key again.`,
    );
  }
  const { backend, state, plain } = sealing;
  if (state !== 'on') {
    const word = state === 'turning-on' ? 'on' : 'off';
    return warning(`keychain ${word} is not finished`, `Run ${ownCommand('keychain', word)} again.`);
  }
  if (plain > 0) {
    return warning(
      `${plain === 1 ? 'a login is' : `${plain} logins are`} not sealed: an earlier version of this program has written there`,
      `Update that installation, then run ${ownCommand('keychain', 'on')}.`,
    );
  }
  return ok(`the logins are sealed, and the keychain (${quote(backend)}) has their key`);
}

function locksFinding(overview: readonly CredentialOverview[], now: number): Finding {
  const held = overview.flatMap(({ lock }) => (lock === undefined ? [] : [lock]));
  const long = held.find(({ heldForMs }) => heldForMs > LONG_HELD_MS);
  if (long !== undefined) {
    const who = long.pid === undefined ? 'A process' : `Process ${long.pid}`;
    return warning(
      `${who.toLowerCase()} has been refreshing a login for ${duration(long.heldForMs)}, and others wait for it`,
      'If it is suspended, resume it or end it.',
    );
  }
  const waiting = overview.flatMap(({ signIn }) => (signIn === undefined ? [] : [signIn]));
  const [first] = waiting;
  if (first !== undefined) {
    return ok(
      `a sign-in waits for a person, for another ${duration(first.deadline - now)}; its address: ${ownCommand('status')}`,
    );
  }
  return held.length === 0 ? ok('nothing is going on') : ok('a login is being refreshed right now');
}
