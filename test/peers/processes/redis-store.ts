import { basename } from 'node:path';
import { silentLogger } from '../../../src/platform/log/logger.ts';
import { openShared, type Shared } from '../../../src/store/open-shared.ts';

const SECRET = Buffer.alloc(32, 5);

/** The store of one test on the Redis at that address: each home has its own names there. */
export function openTestStore(url: string, home: string): Promise<Shared> {
  const secrets = [SECRET];
  return openShared({
    home: undefined,
    store: { kind: 'shared', url, prefix: basename(home), secrets: async () => secrets },
    logger: silentLogger,
  });
}
