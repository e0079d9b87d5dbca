import { desktopEnvironment } from '../platform/process/child-environment.ts';
import type { ToolEnd } from '../platform/process/run-tool.ts';
import type { Keychain, KeychainAnswer, KeychainOutcome } from './keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { absent, failureOf } from './tool.ts';

const WAYS = {
  whenSilent: 'Try again: the first start of PowerShell takes long.',
  otherwise:
    'DPAPI opens it only for the Windows user that has written it. Sign in to Windows as that user, with the password and not with a key.',
};

/**
 * Windows PowerShell, which every Windows has. The script is the same for each key; the account and the text to encrypt are two lines on stdin. The account is
 * the entropy, so that a file under another name cannot be decrypted.
 */
function script(direction: 'Protect' | 'Unprotect'): string {
  const [before, after] =
    direction === 'Protect'
      ? ['[Text.Encoding]::UTF8.GetBytes($text)', '[Convert]::ToBase64String($result)']
      : ['[Convert]::FromBase64String($text)', '[Text.Encoding]::UTF8.GetString($result)'];
  return [
    "$ErrorActionPreference = 'Stop'",
    'Add-Type -AssemblyName System.Security',
    '$account = [Text.Encoding]::UTF8.GetBytes([Console]::In.ReadLine())',
    '$text = [Console]::In.ReadLine()',
    `$result = [Security.Cryptography.ProtectedData]::${direction}(${before}, $account, 'CurrentUser')`,
    `[Console]::Out.Write(${after})`,
  ].join('; ');
}

/** A file that only this Windows user can decrypt (DPAPI). The Credential Manager takes no more than 1,280 characters, and is unavailable over SSH. */
export class WindowsDpapi implements Keychain {
  readonly name = 'Windows DPAPI';
  readonly #ports: KeychainPorts;

  constructor(ports: KeychainPorts) {
    this.#ports = ports;
  }

  async read(account: string): Promise<KeychainAnswer> {
    const text = await this.#ports.keyFile.read(account);
    if (text === undefined) return { kind: 'not-found' };
    const end = await this.#run('Unprotect', account, text.trim());
    return end.kind === 'exited' && end.code === 0 ? { kind: 'found', secret: end.stdout } : failed(end);
  }

  async write(account: string, secret: string): Promise<KeychainOutcome> {
    const end = await this.#run('Protect', account, secret);
    if (end.kind !== 'exited' || end.code !== 0) return failed(end);
    await this.#ports.keyFile.write(account, end.stdout);
    return { kind: 'done' };
  }

  async erase(account: string): Promise<KeychainOutcome> {
    return { kind: (await this.#ports.keyFile.remove(account)) ? 'done' : 'not-found' };
  }

  #run(direction: 'Protect' | 'Unprotect', account: string, text: string): Promise<ToolEnd> {
    const { run, env, limitMs } = this.#ports;
    return run({
      command: powershell(env),
      args: ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', script(direction)],
      stdin: `${account}\n${text}\n`,
      env: desktopEnvironment(env),
      limitMs,
    });
  }
}

/** By its absolute path: Windows looks for a bare name in the current folder first. */
function powershell(env: KeychainPorts['env']): string {
  const named = env.SystemRoot ?? env.SYSTEMROOT ?? env.windir ?? '';
  const windows = /^[a-z]:\\/i.test(named) ? named.replace(/\\+$/, '') : 'C:\\Windows';
  return `${windows}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`;
}

function failed(end: ToolEnd) {
  return end.kind === 'failed' && end.code === 'ENOENT'
    ? absent(
        'Windows PowerShell',
        'It is a part of Windows; without it name a helper, such as helper:wincred.',
      )
    : failureOf('powershell.exe', end, WAYS);
}
