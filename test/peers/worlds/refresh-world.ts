import { mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { parseRecord } from '../../../src/store/record/record-schema.ts';
import { RotatingEndpoint } from '../authorization-servers/rotating-endpoint.ts';
import { expiredLogin } from '../processes/credentials.ts';
import { StoreWorker, type WorkerAnswer, type WorkerOptions } from '../processes/store-workers.ts';

export const KEY = 'cd'.repeat(32);

/** A home with a login whose access token is at its end, and the endpoint that renews it. */
export class RefreshWorld implements AsyncDisposable {
  readonly home: string;
  readonly endpoint: RotatingEndpoint;
  readonly #program: string;
  readonly #workers: StoreWorker[] = [];

  private constructor(program: string, home: string, endpoint: RotatingEndpoint) {
    this.#program = program;
    this.home = home;
    this.endpoint = endpoint;
  }

  /** `program`: as `buildStoreWorker` made it. */
  static async create(program: string): Promise<RefreshWorld> {
    const world = new RefreshWorld(
      program,
      await mkdtemp(join(tmpdir(), 'drawbridge-')),
      await RotatingEndpoint.start(),
    );
    const store = await openStore({ home: world.home, logger: silentLogger });
    await store.write(KEY, expiredLogin(world.endpoint.address, 'R0'), null);
    return world;
  }

  get server(): string {
    return new URL('/mcp', this.endpoint.address).href;
  }

  get credentials(): string {
    return join(this.home, 'credentials');
  }

  async worker(options: WorkerOptions = {}): Promise<StoreWorker> {
    const worker = await StoreWorker.start(this.#program, options);
    this.#workers.push(worker);
    return worker;
  }

  refresh(worker: StoreWorker, staleToken: string, killAt?: number): Promise<WorkerAnswer> {
    const { home, server } = this;
    return worker.run({
      do: 'refresh',
      home,
      key: KEY,
      server,
      staleToken,
      ...(killAt === undefined ? {} : { killAt }),
    });
  }

  /** As if the time had passed after which the lock of a process that is suspended counts as left behind. */
  async lockGoesStale(): Promise<void> {
    const lock = join(this.credentials, `${KEY}.json.lock`);
    const past = new Date(Date.now() - 60_000);
    if (await stat(lock).catch(() => undefined)) await utimes(lock, past, past);
  }

  async record() {
    return parseRecord(await readFile(join(this.credentials, `${KEY}.json`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker[Symbol.dispose]();
    await this.endpoint[Symbol.asyncDispose]();
    await rm(this.home, { recursive: true, force: true });
  }
}
