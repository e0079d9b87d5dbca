import { describeError } from '../errors.ts';
import type { KeychainKind } from '../protocol/keychain-kind.ts';
import { keepSecret } from '../redaction/secrets.ts';
import { DockerCredentials } from './docker-credentials.ts';
import type { Keychain, KeychainAnswer, KeychainFailure, KeychainOutcome } from './keychain.ts';
import { MacosKeychain } from './macos-keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { SecretService } from './secret-service.ts';
import { said } from './tool.ts';
import { WindowsDpapi } from './windows-dpapi.ts';

/** They become words of commands and of D-Bus messages, so they contain nothing that those would interpret. */
const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SECRET = /^[A-Za-z0-9+/=_-]{1,1024}$/;

/** The keychain of this kind. It may be unavailable: every operation reports that. */
export function openKeychain(kind: KeychainKind, ports: KeychainPorts): Keychain {
  return new CheckedKeychain(backend(kind, ports));
}

function backend(kind: KeychainKind, ports: KeychainPorts): Keychain {
  if (kind !== 'system') return new DockerCredentials(kind.slice('helper:'.length), ports);
  switch (ports.platform) {
    case 'darwin':
      return new MacosKeychain(ports);
    case 'win32':
      return new WindowsDpapi(ports);
    default:
      return new SecretService(ports);
  }
}

/** The parts common to all: input is checked, secrets are redacted from every output, writes are read back, and nothing rejects. */
class CheckedKeychain implements Keychain {
  readonly name: string;
  readonly #backend: Keychain;

  constructor(inner: Keychain) {
    this.name = inner.name;
    this.#backend = inner;
  }

  async read(account: string): Promise<KeychainAnswer> {
    const answer = await this.#checked(account, () => this.#backend.read(account));
    if (answer.kind === 'found') keepSecret(answer.secret, 'setting');
    return answer;
  }

  async write(account: string, secret: string): Promise<KeychainOutcome> {
    keepSecret(secret, 'setting');
    if (!SECRET.test(secret)) {
      return failed(
        'the secret has characters other than those of Base64',
        'This is a bug: please report it.',
      );
    }
    const outcome = await this.#checked(account, () => this.#backend.write(account, secret));
    if (outcome.kind !== 'done') return outcome;
    // Some truncate the secret silently.
    const answer = await this.read(account);
    if (answer.kind === 'found' && answer.secret === secret) return outcome;
    if (answer.kind !== 'found' && answer.kind !== 'not-found') return answer;
    const what = answer.kind === 'found' ? 'gives back something else' : 'does not have it';
    return failed(`${this.name} has accepted the secret, and ${what}`, 'Name another keychain.');
  }

  erase(account: string): Promise<KeychainOutcome> {
    return this.#checked(account, () => this.#backend.erase(account));
  }

  async #checked<T>(account: string, run: () => Promise<T>): Promise<T | KeychainFailure> {
    if (!ACCOUNT.test(account)) {
      return failed(
        `“${said(account)}” is no name of a key`,
        'The file that names it was changed: bring it back from a copy.',
      );
    }
    try {
      return await run();
    } catch (error) {
      return failed(
        `${this.name} cannot be used: ${said(describeError(error))}`,
        'See what is wrong with that file.',
      );
    }
  }
}

function failed(text: string, wayOut: string): KeychainFailure {
  return { kind: 'failed', text, wayOut };
}
