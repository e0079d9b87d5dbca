import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '../../src/platform/log/logger.ts';
import { openStore } from '../../src/store/open-store.ts';
import { canonicalServer, credentialKey } from '../../src/store/record/key.ts';
import type { NewRecord } from '../../src/store/record/record.ts';
import { createTemporaryHome, type TemporaryHome } from '../peers/processes/home.ts';
import type { Figures } from './figures.ts';
import type { Job, Work } from './jobs.ts';
import type { Subject } from './links/link.ts';
import { TOKEN } from './messages.ts';
import { SharedLogin } from './shared-store.ts';

/** The largest message of the bench is 256 MB; the default limit is 32 MiB. */
const MAX_MESSAGE = '512MiB';
const JOB_MS = 300_000;

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** The server's process, a home with a credential in it, and the program between host and server. */
export class Stage implements AsyncDisposable {
  readonly home: TemporaryHome;
  readonly #server: ChildProcess;
  readonly #origin: string;
  readonly #program: readonly string[];

  private constructor(home: TemporaryHome, server: ChildProcess, port: number, program: readonly string[]) {
    this.home = home;
    this.#server = server;
    this.#origin = `http://127.0.0.1:${port}`;
    this.#program = program;
  }

  /** `program` is the Node that the bridge runs with, and its file. */
  static async create(program: readonly string[]): Promise<Stage> {
    const server = fork(here('./server.ts'), { stdio: 'inherit' });
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const stage = new Stage(await createTemporaryHome(), server, port, program);
    await stage.#signIn();
    return stage;
  }

  /** Without a bridge. */
  get direct(): Subject {
    return { kind: 'direct', url: `${this.#origin}/mcp` };
  }

  /** The same, as the official SDK's client does it. */
  get fetch(): Subject {
    return { kind: 'fetch', url: `${this.#origin}/mcp` };
  }

  /** The program, with a credential on disk. */
  get signedIn(): Subject {
    return this.#bridge('/protected', this.home.state);
  }

  /** The same with a credential in a shared store. */
  async shareLogin(): Promise<{ readonly shared: SharedLogin; readonly subject: Subject }> {
    const { key, login } = this.#login();
    const shared = await SharedLogin.create(this.home, key, login);
    return { shared, subject: this.#bridge('/protected', this.home.state, shared.flags) };
  }

  /** The program at an open server: remembered from an earlier start, or in a home of its own that was never used. */
  open(unused?: TemporaryHome): Subject {
    return this.#bridge('/mcp', (unused ?? this.home).state);
  }

  /** Another bridge, at the open server: what it keeps on disk is its own affair. `{url}` stands for the address. */
  other(command: string): Subject {
    const argv = command
      .split(/\s+/)
      .filter((part) => part !== '')
      .map((part) => part.replaceAll('{url}', `${this.#origin}/mcp`));
    return { kind: 'command', argv, env: { ...this.home.env() } };
  }

  run(subject: Subject, work: Work): Promise<Figures> {
    return runJob({ subject, work });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill();
    await this.home.close();
  }

  #bridge(path: string, state: string, flags: readonly string[] = []): Subject {
    const argv = [...this.#program, `${this.#origin}${path}`, '--max-message-size', MAX_MESSAGE, ...flags];
    return { kind: 'command', argv, env: this.home.env({ MCP_DRAWBRIDGE_HOME: state }) };
  }

  async #signIn(): Promise<void> {
    const store = await openStore({ home: this.home.state, logger: silentLogger });
    const { key, login } = this.#login();
    await store.write(key, login, null);
  }

  #login(): { readonly key: string; readonly login: NewRecord } {
    const server = new URL('/protected', this.#origin);
    const now = Date.now();
    const login: NewRecord = {
      family: 'bench',
      server: canonicalServer(server),
      issuer: this.#origin,
      endpoints: { token: `${this.#origin}/token` },
      tokens: {
        accessToken: TOKEN,
        tokenType: 'Bearer',
        refreshToken: 'bench-refresh',
        obtainedAt: now,
        expiresAt: now + 86_400_000,
      },
    };
    return { key: credentialKey({ server, grant: 'authorization_code', profile: 'default' }), login };
  }
}

async function runJob(job: Job): Promise<Figures> {
  const driver = fork(here('./measures/driver.ts'), { stdio: 'inherit', timeout: JOB_MS });
  const exited = once(driver, 'exit');
  driver.send(job);
  const gone = exited.then(() => [{ failure: 'the host of the bench ended, or took too long' }]);
  const [said] = (await Promise.race([once(driver, 'message'), gone])) as [
    { figures: Figures } | { failure: string },
  ];
  await exited;
  if ('failure' in said) throw new Error(said.failure);
  return said.figures;
}
