import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slimClient } from '../../../../.build/slim.ts';
import { hasRedis } from '../../../peers/processes/tools.ts';
import { flood, OddRedis } from '../../../peers/redis/odd-redis.ts';
import { accessRules, RedisServer } from '../../../peers/redis/redis-server.ts';

const user = { name: 'store', password: 'program-password-canary', rules: accessRules('mcp') };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-program-'));
  const input = new URL('../../../peers/redis/engine-program.ts', import.meta.url).pathname;
  const bundle = await rolldown({ input: { program: input }, platform: 'node', plugins: [slimClient] });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(
  url: string,
): Promise<{ readonly said: Record<string, unknown>; readonly stderr: string }> {
  const child = spawn(process.execPath, [join(folder, 'program.mjs')], {
    env: { PATH: process.env.PATH, DEBUG: '*' },
    stdio: 'pipe',
  });
  child.stdin.end(url);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { said: JSON.parse(stdout) as Record<string, unknown>, stderr };
}

describe.skipIf(!hasRedis())('the engine as it is bundled', () => {
  test('works without the omitted parts, and prints nothing with DEBUG=*', async () => {
    await using server = await RedisServer.start({ user });
    const { said, stderr } = await run(server.url);
    expect(said).toMatchObject({
      put: 'written',
      body: 'written',
      engine: expect.stringMatching(/^(redis|valkey) \d/),
    });
    expect(stderr).toBe('');
  });

  test('a server without a password is reported once, only in the log', async () => {
    await using server = await RedisServer.start();
    const { said, stderr } = await run(server.url.replace('redis://', 'redis://:not-needed-canary@'));
    expect(stderr).toBe('');
    expect(said.error).toContain('does not accept this user and password (WRONGPASS)');
    expect(JSON.stringify(said)).not.toContain('canary');
  });
});

test('a reply of 512 MB costs no memory', async () => {
  const piece = new Uint8Array(64 * 1024).fill(120);
  await using odd = await OddRedis.start(() => flood('$536870912\r\n', piece));
  const { said } = await run(odd.url);
  expect(said.error).toContain('sent an answer of 536870912 bytes');
  expect(said.peakMib).toBeLessThan(256);
});
