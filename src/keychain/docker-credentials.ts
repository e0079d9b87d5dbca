import type { ToolEnd } from '../platform/process/run-tool.ts';
import { withoutUndefined } from '../platform/without-undefined.ts';
import { isObject } from '../protocol/json/json-object.ts';
import type { Keychain, KeychainAnswer, KeychainFailure, KeychainOutcome } from './keychain.ts';
import type { KeychainPorts } from './ports.ts';
import { defaultState, failureOfBus, openBus } from './secret-service-state.ts';
import { absent, failureOf, said } from './tool.ts';

/**
 * A program `docker-credential-NAME` chosen by the person (github.com/docker/docker-credential-helpers): the command is its argument, and everything else goes
 * over stdin and stdout. It reports errors on stdout.
 */
export class DockerCredentials implements Keychain {
  readonly name: string;
  readonly #ports: KeychainPorts;

  /** `name`: without path separators, as `isKeychainKind` checks. */
  constructor(name: string, ports: KeychainPorts) {
    this.name = `docker-credential-${name}`;
    this.#ports = ports;
  }

  async read(account: string): Promise<KeychainAnswer> {
    const end = await this.#run('get', serverUrl(account));
    if (end === undefined) return this.#absent();
    if (end.kind !== 'exited' || end.code !== 0) {
      return isNotFound(end) ? this.#notFound(account) : this.#failed(account, end);
    }
    const credentials = credentialsIn(end.stdout);
    if (credentials === undefined) return this.#badAnswer();
    // Older versions answer with empty strings if there is nothing; the one for Windows returns a similar entry.
    if (credentials.Secret === '' || credentials.Username !== account) return this.#notFound(account);
    return { kind: 'found', secret: credentials.Secret };
  }

  async write(account: string, secret: string): Promise<KeychainOutcome> {
    const credentials = { ServerURL: serverUrl(account), Username: account, Secret: secret };
    return this.#change(account, 'store', JSON.stringify(credentials));
  }

  /** Only some programs report that there was nothing to erase, so an item is erased only if it was found. */
  async erase(account: string): Promise<KeychainOutcome> {
    const answer = await this.read(account);
    return answer.kind === 'found' ? this.#change(account, 'erase', serverUrl(account)) : answer;
  }

  async #change(account: string, command: string, stdin: string): Promise<KeychainOutcome> {
    const end = await this.#run(command, stdin);
    if (end === undefined) return this.#absent();
    return end.kind === 'exited' && end.code === 0 ? { kind: 'done' } : this.#failed(account, end);
  }

  /** Undefined if there is no such program. */
  async #run(command: string, stdin: string): Promise<ToolEnd | undefined> {
    const { find, run, findBus, limitMs } = this.#ports;
    const program = find(this.name);
    if (program === undefined) return undefined;
    const bus = await findBus();
    return run({
      command: program,
      args: [command],
      stdin,
      env: { ...this.#environment(), ...withoutUndefined({ DBUS_SESSION_BUS_ADDRESS: bus }) },
      limitMs,
    });
  }

  /** Two of these programs report "not found" even if they cannot know. */
  async #notFound(account: string): Promise<{ readonly kind: 'not-found' } | KeychainFailure> {
    if (this.name === 'docker-credential-secretservice') return this.#lockedService();
    if (this.name === 'docker-credential-pass') return this.#withoutPass(account);
    return { kind: 'not-found' };
  }

  async #lockedService(): Promise<{ readonly kind: 'not-found' } | KeychainFailure> {
    const bus = await openBus(this.#ports);
    if ('kind' in bus) return bus;
    const state = await defaultState(bus);
    if ('text' in state) return state;
    if (state.kind !== 'locked') return { kind: 'not-found' };
    const text = 'the keychain of the desktop is locked';
    return {
      kind: 'locked',
      text,
      wayOut: 'Unlock it on its desktop. The keychain `system` asks the same one.',
    };
  }

  /** Without `pass`, and before `pass init`, there is nothing. */
  async #withoutPass(account: string): Promise<{ readonly kind: 'not-found' } | KeychainFailure> {
    const { find, run, limitMs } = this.#ports;
    const command = find('pass');
    if (command === undefined)
      return absent('pass', 'Install it, and run `pass init` with the id of your GPG key.');
    const env = this.#environment();
    const end = await run({ command, args: ['ls'], stdin: '', env, limitMs });
    return end.kind === 'exited' && end.code === 0 ? { kind: 'not-found' } : this.#failed(account, end);
  }

  /**
   * The person trusts this program with the key to all logins, and it may need any variable (GNUPGHOME, VAULT_ADDR). Ours may contain tokens of other servers.
   * With GPG_TTY a program that asks for a passphrase would draw on the terminal in which the host runs.
   */
  #environment(): KeychainPorts['env'] {
    const { env, path } = this.#ports;
    const kept = Object.entries(env).filter(([name]) => !/^MCP_DRAWBRIDGE_|^GPG_TTY$|^PATH$/i.test(name));
    return { ...Object.fromEntries(kept), PATH: path };
  }

  #absent(): KeychainFailure {
    return absent(this.name, 'Install it where programs are found (PATH), or name another keychain.');
  }

  #badAnswer(): KeychainFailure {
    return {
      kind: 'failed',
      text: `${this.name} answered with something other than the JSON that it should`,
      wayOut: `Update it, or try it by hand: \`${this.name} list\`.`,
    };
  }

  #failed(account: string, end: ToolEnd): KeychainFailure {
    const words = end.kind === 'exited' ? `${end.stdout}\n${end.stderr}` : '';
    const isPass = this.name === 'docker-credential-pass';
    const unlock = isPass
      ? `Unlock the GPG key: run \`pass show ${passName(account)} >/dev/null\` in a terminal, which asks for its passphrase.`
      : 'Unlock what it asks: start its application, or its login in a terminal.';
    const failure = failureOf(this.name, end, {
      whenSilent: unlock,
      otherwise: `Try it by hand: \`${this.name} list\`.`,
    });
    if (/pass not initialized|password store is empty/i.test(words)) {
      return {
        kind: 'absent',
        text: `pass has not been set up: ${said(words)}`,
        wayOut: 'Run `pass init` with the id of your GPG key.',
      };
    }
    if (LOCKED.test(words)) return { ...failure, kind: 'locked', wayOut: unlock };
    return this.name === 'docker-credential-secretservice' ? failureOfBus(end) : failure;
  }
}

/** Where docker-credential-pass stores it (pass/pass.go): Base64 of RFC 4648 §5, with padding. */
function passName(account: string): string {
  const folder = Buffer.from(serverUrl(account)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return `docker-credential-helpers/${folder}/${account}`;
}

/** The helpers for macOS only accept https addresses. RFC 2606 §2: there are no servers in `.invalid`. */
function serverUrl(account: string): string {
  return `https://mcp-drawbridge.invalid/${account}`;
}

/** credentials/error.go of docker-credential-helpers. */
function isNotFound(end: ToolEnd): boolean {
  return (
    end.kind === 'exited' && /credentials not found in native keychain/.test(`${end.stdout}${end.stderr}`)
  );
}

/** The messages of gpg, macOS and the Secret Service for a locked key. gpg also says `No secret key` if it has no such key; the two cannot be distinguished. */
const LOCKED =
  /\blocked\b|interaction is not allowed|decryption failed|no pinentry|inappropriate ioctl|operation cancelled|no secret key/i;

interface Credentials {
  readonly Username: string;
  readonly Secret: string;
}

/** Output that is not such an object is never quoted: it may contain the secret. */
function credentialsIn(text: string): Credentials | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { Username, Secret } = value;
    return typeof Username === 'string' && typeof Secret === 'string' ? { Username, Secret } : undefined;
  } catch {
    return undefined;
  }
}
