import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../src/platform/log/logger.ts';
import { openShared } from '../../src/store/open-shared.ts';
import type { NewRecord } from '../../src/store/record/record.ts';
import type { TemporaryHome } from '../peers/processes/home.ts';
import { RedisServer } from '../peers/redis/redis-server.ts';

const PREFIX = 'mcp-drawbridge';

/** A login on a Redis of its own, and the flags with which a bridge finds it. */
export class SharedLogin implements AsyncDisposable {
  readonly flags: readonly string[];
  readonly port: number;
  readonly #engine: RedisServer;

  private constructor(engine: RedisServer, flags: readonly string[]) {
    this.#engine = engine;
    this.port = engine.port;
    this.flags = flags;
  }

  static async create(home: TemporaryHome, key: string, login: NewRecord): Promise<SharedLogin> {
    const engine = await RedisServer.start();
    const secrets = [new Uint8Array(randomBytes(32))];
    const keyFile = join(home.folder, 'store.key');
    await writeFile(keyFile, Buffer.from(secrets[0] ?? '').toString('base64'), { mode: 0o600 });
    const shared = await openShared({
      home: undefined,
      store: { kind: 'shared', url: engine.url, prefix: PREFIX, secrets: async () => secrets },
      logger: silentLogger,
    });
    await shared.store.write(key, login, 'any');
    await shared.close();
    return new SharedLogin(engine, ['--store', engine.url, '--store-key-file', keyFile]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine[Symbol.asyncDispose]();
  }
}
