import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { SdkSseServer } from '../peers/mcp-servers/sdk-sse-server.ts';
import { PATIENT, WineWorld } from './wine-world.ts';

const transports = {
  'Streamable HTTP, JSON': () => startMcpServer({ json: true }),
  'Streamable HTTP, event streams': () => startMcpServer({ json: false }),
  'HTTP+SSE': () => SdkSseServer.start(),
};

it.each(Object.entries(transports))('%s: relays over the pipes of a Windows host', async (_, start) => {
  await using server = await start();
  await using world = await WineWorld.create();
  const host = world.host([server.url]);
  await host.initialize({}, PATIENT);
  const value = 'grüße 日本 '.repeat(10_000);
  const calls = [1, 2, 3].map((each) =>
    host.request('tools/call', { name: 'echo', arguments: { value: `${each}${value}` } }, PATIENT),
  );
  for (const [at, { result }] of (await Promise.all(calls)).entries()) {
    expect(result).toMatchObject({ content: [{ text: JSON.stringify(`${at + 1}${value}`) }] });
  }
  host.endStdin();
  expect((await host.closed).code).toBe(0);
  host.assertPure();
  host.assertOneAnswerEach();
});

it('relays progress and cancellations, and keeps a log', async () => {
  await using server = await startMcpServer();
  await using world = await WineWorld.create();
  const host = world.host([server.url, '--debug']);
  await host.initialize({}, PATIENT);
  const params = { name: 'progress', arguments: { steps: 3 }, _meta: { progressToken: 'p' } };
  await host.request('tools/call', params, PATIENT);
  const told = host.lines.entries.filter(({ message }) => message?.method === 'notifications/progress');
  expect(told).toHaveLength(3);
  host.send({
    jsonrpc: '2.0',
    id: 'c',
    method: 'tools/call',
    params: { name: 'slow', arguments: { name: 'a' } },
  });
  await server.requests.until(() => server.methodCount('tools/call') === 2);
  host.notify('notifications/cancelled', { requestId: 'c' });
  await server.requests.until(() => server.methodCount('notifications/cancelled') === 1);
  const [log = ''] = await readdir(join(world.state, 'logs'));
  expect(await readFile(join(world.state, 'logs', log), 'utf8')).toContain('debug');
});
