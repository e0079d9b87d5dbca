import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startMcpServer } from '../../peers/mcp-servers/mcp-server.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the listeners that wait now for the abort of any signal which was used since the call. */
function watchAbortListeners(): () => number {
  const used = vi.spyOn(EventTarget.prototype, 'addEventListener').mock.contexts;
  return () =>
    [...new Set<unknown>(used)]
      .filter((target) => target instanceof AbortSignal)
      .filter(({ aborted }) => !aborted)
      .reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
}

test('a session that is lost and restored leaves no listeners behind', async () => {
  const listeners = watchAbortListeners();
  await using server = await startMcpServer({});
  await using bridge = (await composeBridge(server.url)).read();
  await bridge.initialize();
  const subscriptions = Array.from({ length: 20 }, (_, id) => id);
  for (const id of subscriptions) await bridge.request(id, 'resources/subscribe', { uri: `note://${id}` });
  const before = listeners();
  await server.loseSessions();
  await bridge.request('call', 'tools/call', { name: 'echo', arguments: {} });
  await server.requests.until(() => server.methodCount('resources/subscribe') === 2 * subscriptions.length);
  await expect.poll(listeners).toBeLessThanOrEqual(before);
});
