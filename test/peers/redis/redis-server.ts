import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'iovalkey';
import type { Identity } from '../net/certificates.ts';
import { freePort } from '../net/listening.ts';
import { RedisProcess } from './redis-process.ts';

export interface RedisServerOptions {
  /** More of its settings, as on its command line: `--maxmemory`, `1mb`. */
  readonly args?: readonly string[];
  /** Each write is on disk before it is acknowledged, so that nothing is lost by `kill -9`. */
  readonly keepsData?: boolean;
  /** It speaks TLS only; `authority`: and asks for a certificate of it. */
  readonly tls?: Identity & { readonly authority: string; readonly asksForCertificate?: boolean };
  /** Its wall clock is ahead by so much; what is monotonic stays as it is. */
  readonly aheadMs?: number;
  /** The user of the store: its name, password and rules. The default user stays for the test. */
  readonly user?: { readonly name: string; readonly password: string; readonly rules: string };
}

/** The access list that a store with this prefix needs, and nothing more. */
export function accessRules(prefix: string): string {
  const commands =
    'eval evalsha script|load hmget hset pexpire persist time info publish subscribe wait ping auth hello';
  const allowed = commands.split(' ').map((command) => `+${command}`);
  return `~${prefix}:* &${prefix}:* -@all ${allowed.join(' ')}`;
}

/** Needs `cc`, the compiler of the system. */
async function movedClock(folder: string, aheadMs: number): Promise<Record<string, string>> {
  const library = join(folder, 'moved-clock.so');
  const source = fileURLToPath(new URL('./moved-clock.c', import.meta.url));
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-o', library, source]);
  return { LD_PRELOAD: library, CLOCK_AHEAD_S: String(Math.round(aheadMs / 1000)) };
}

/** A real server on a free port of this machine, with a folder of its own. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly process: RedisProcess;
  readonly #options: RedisServerOptions;
  #client: Redis | undefined;

  private constructor(
    port: number,
    folder: string,
    options: RedisServerOptions,
    env: Readonly<Record<string, string>>,
  ) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
    this.process = new RedisProcess('server', this.#args(), /Ready to accept connections/, env);
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-'));
    const { tls, user, aheadMs } = options;
    const env = aheadMs === undefined ? {} : await movedClock(folder, aheadMs);
    const server = new RedisServer(await freePort(), folder, options, env);
    if (tls !== undefined) {
      const files = { 'cert.pem': tls.cert, 'key.pem': tls.key, 'ca.pem': tls.authority };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    }
    await server.process.start();
    if (user !== undefined) await server.makeUser();
    return server;
  }

  /** Makes the user of the options; after each start, since it is not on disk. */
  async makeUser(): Promise<void> {
    const { user } = this.#options;
    if (user === undefined) throw new Error('no user was asked for');
    await this.call('ACL', 'SETUSER', user.name, 'on', `>${user.password}`, ...user.rules.split(' '));
  }

  /** Its address as a store's, for the user that was made for it. */
  get url(): string {
    const { tls, user } = this.#options;
    const account = user === undefined ? '' : `${user.name}:${encodeURIComponent(user.password)}@`;
    const query = tls === undefined ? '' : `?ca=${encodeURIComponent(join(this.folder, 'ca.pem'))}`;
    return `redis${tls === undefined ? '' : 's'}://${account}127.0.0.1:${this.port}${query}`;
  }

  /** One command of the default user, who may do everything. */
  async call(name: string, ...words: string[]): Promise<unknown> {
    this.#client ??= this.#connect();
    return await this.#client.call(name, ...words);
  }

  /** One value of its own report, such as `connected_slaves`. */
  async info(name: string): Promise<string | undefined> {
    return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(String(await this.call('INFO')))?.[1];
  }

  /** `kill -9`, and a start on the same port, with the data that it has kept or without any. */
  async restart({ keepsData = true } = {}): Promise<void> {
    await this.kill();
    if (!keepsData) {
      for (const name of await readdir(this.folder)) {
        if (!name.endsWith('.pem')) await rm(join(this.folder, name), { recursive: true });
      }
    }
    await this.process.start();
    if (this.#options.user !== undefined) await this.makeUser();
  }

  async kill(): Promise<void> {
    this.#client?.disconnect();
    this.#client = undefined;
    await this.process.kill();
  }

  /** Becomes a replica; resolves when it has all that the primary has. */
  async replicate(port: number): Promise<void> {
    await this.call('REPLICAOF', '127.0.0.1', String(port));
    while ((await this.info('master_link_status')) !== 'up') await new Promise(setImmediate);
  }

  async promote(): Promise<void> {
    await this.call('REPLICAOF', 'NO', 'ONE');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #connect(): Redis {
    const { tls } = this.#options;
    const authority = tls && { ca: tls.authority, cert: tls.cert, key: tls.key };
    const options = { port: this.port, host: '127.0.0.1', ...(authority && { tls: authority }) };
    const client = new Redis(options);
    client.on('error', () => undefined);
    return client;
  }

  #args(): string[] {
    const { args = [], keepsData = false, tls } = this.#options;
    const inFolder = (name: string) => join(this.folder, name);
    const files = ['--tls-cert-file', inFolder('cert.pem'), '--tls-key-file', inFolder('key.pem')];
    const clients = ['--tls-ca-cert-file', inFolder('ca.pem'), '--tls-auth-clients'];
    return [
      ...(tls === undefined
        ? ['--port', String(this.port)]
        : ['--port', '0', '--tls-port', String(this.port)]),
      ...(tls === undefined ? [] : [...files, ...clients, tls.asksForCertificate ? 'yes' : 'no']),
      ...['--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--repl-diskless-sync-delay', '0'],
      ...(keepsData ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
      ...args,
    ];
  }
}
