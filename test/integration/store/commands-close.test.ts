import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../../../src/compose/commands.ts';
import { openConfigured } from '../../../src/compose/store/open-store.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { readSettingsFile } from '../../../src/config/sources/read-file.ts';
import { createLogSink } from '../../../src/platform/log/sink.ts';
import { keyOf } from '../../../src/store/record/credential-key.ts';
import { testPlatform } from '../../peers/hosts/test-platform.ts';
import { expiredLogin } from '../../peers/processes/credentials.ts';
import { TemporaryHome } from '../../peers/processes/home.ts';
import { hasRedis } from '../../peers/processes/tools.ts';
import { RedisServer } from '../../peers/redis/redis-server.ts';

const SERVER = 'https://mcp.example/mcp';

test.skipIf(!hasRedis())('a command closes the shared store that it has opened', async () => {
  await using engine = await RedisServer.start();
  await using home = await TemporaryHome.create();
  const env = home.env({
    MCP_DRAWBRIDGE_STORE: engine.url,
    MCP_DRAWBRIDGE_STORE_KEY: randomBytes(32).toString('hex'),
  });
  const platform = testPlatform({ env });
  const logger = createLogSink({ format: 'text', debug: false, silent: true, clock: platform.clock });
  const parsed = (...argv: string[]) => {
    const command = loadConfig(argv, env, readSettingsFile);
    if (!('config' in command) || command.command === 'bridge') throw new Error('no command');
    return command;
  };
  const run = async (...argv: string[]) => {
    const { output, outcome } = await runCommand(
      parsed(...argv),
      platform,
      logger,
      new AbortController().signal,
    );
    expect({ argv, outcome }).toEqual({ argv, outcome: 'done' });
    // The one that asks is the test's.
    const connections = async () =>
      String(await engine.call('CLIENT', 'LIST'))
        .trim()
        .split('\n');
    await expect.poll(connections).toEqual([expect.stringContaining('cmd=client')]);
    return output;
  };
  const { config } = parsed('token', SERVER);
  const key = keyOf({ ...config, server: new URL(SERVER) });
  const shared = await openConfigured(config, platform, logger);
  const login = expiredLogin('https://mcp.example/token', 'R0');
  const expiresAt = Date.now() + 3_600_000;
  await shared.store.write(
    key,
    {
      ...login,
      server: SERVER,
      tokens: { ...login.tokens, accessToken: 'A0', expiresAt, obtainedAt: Date.now(), tokenType: 'Bearer' },
    },
    null,
  );
  await shared.close();

  expect(await run('token', SERVER)).toBe('A0\n');
  const exported = join(home.folder, 'exported.json');
  await writeFile(exported, await run('tokens', 'export', SERVER));
  await run('tokens', 'import', exported, '--force');
  await run('status', SERVER);
  await run('store', 'reseal');
});
