import { desktopEnvironment } from '../platform/process/child-environment.ts';
import type { ToolEnd } from '../platform/process/run-tool.ts';
import {
  KEYCHAIN_SERVICE,
  type Keychain,
  type KeychainAnswer,
  type KeychainFailure,
  type KeychainOutcome,
} from './keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { absent, failureOf } from './tool.ts';

const SECURITY = '/usr/bin/security';

/** Exit codes are the last byte of an OSStatus (SecBase.h). */
const NOT_FOUND = 44; // errSecItemNotFound, -25300
/** errSecInteractionNotAllowed (-25308), errSecAuthFailed (-25293), userCanceledErr (-128). */
const LOCKED: readonly number[] = [36, 51, 128];

const WAYS = {
  whenSilent:
    'Unlock the login keychain: run `security unlock-keychain` in a terminal, and allow the access where macOS asks.',
  otherwise: 'Look at the login keychain in Keychain Access, or try `security list-keychains` in a terminal.',
};

/** The login keychain of macOS, through `security`. macOS trusts Apple's own program with the item, also after an update of ours, so no prompt appears. */
export class MacosKeychain implements Keychain {
  readonly name = 'the macOS keychain';
  readonly #ports: KeychainPorts;

  constructor(ports: KeychainPorts) {
    this.#ports = ports;
  }

  async read(account: string): Promise<KeychainAnswer> {
    const end = await this.#run(['find-generic-password', ...item(account), '-w']);
    if (end.kind !== 'exited' || end.code !== 0) return notFoundOr(end);
    return { kind: 'found', secret: end.stdout.replace(/\r?\n$/, '') };
  }

  /** With `-i` commands are read from stdin, so the secret is no argument, which every process could see. */
  async write(account: string, secret: string): Promise<KeychainOutcome> {
    const words = ['add-generic-password', '-U', '-l', KEYCHAIN_SERVICE, ...item(account), '-w', secret];
    const end = await this.#run(['-i'], `${words.map(quoted).join(' ')}\n`);
    return end.kind === 'exited' && end.code === 0 ? { kind: 'done' } : failed(end);
  }

  async erase(account: string): Promise<KeychainOutcome> {
    const end = await this.#run(['delete-generic-password', ...item(account)]);
    return end.kind === 'exited' && end.code === 0 ? { kind: 'done' } : notFoundOr(end);
  }

  #run(args: readonly string[], stdin = ''): Promise<ToolEnd> {
    const { run, env, limitMs } = this.#ports;
    return run({
      command: SECURITY,
      args,
      stdin,
      env: desktopEnvironment(env),
      limitMs,
    });
  }
}

function item(account: string): string[] {
  return ['-s', KEYCHAIN_SERVICE, '-a', account];
}

/** The quoting of `security -i`: within double quotes a backslash escapes the next character. A line break would end the command. */
export function quoted(word: string): string {
  return `"${word.replace(/[\r\n\0]/g, '').replace(/["\\]/g, '\\$&')}"`;
}

function notFoundOr(end: ToolEnd): { readonly kind: 'not-found' } | KeychainFailure {
  return end.kind === 'exited' && end.code === NOT_FOUND ? { kind: 'not-found' } : failed(end);
}

function failed(end: ToolEnd): KeychainFailure {
  if (end.kind === 'failed' && end.code === 'ENOENT') return absent(SECURITY, 'It is a part of macOS.');
  const failure = failureOf('security', end, WAYS);
  if (end.kind !== 'exited' || !LOCKED.includes(end.code)) return failure;
  return { kind: 'locked', text: `the macOS keychain is locked: ${failure.text}`, wayOut: WAYS.whenSilent };
}
