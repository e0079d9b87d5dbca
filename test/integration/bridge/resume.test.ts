import { describe, expect, it } from 'vitest';
import { type ComposedBridge, composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { type ResumableServer, startResumableServer } from '../../peers/mcp-servers/bare/resumable-server.ts';

/** The numbers of the notifications that the host got from one stream. */
function sequences(bridge: ComposedBridge, stream: string): number[] {
  return bridge.received.entries
    .map(({ json }) => json.params?.data)
    .filter((data) => data?.stream === stream)
    .map((data) => data.sequence);
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const call = (id: number, count: number) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { count } });

/** The bytes of a stream with one notification, as the server would send them. */
const STREAM_BYTES = 330;

async function bridgeTo(server: ResumableServer): Promise<ComposedBridge> {
  const bridge = (await composeBridge(server.url)).read();
  await bridge.initialize();
  return bridge;
}

describe('resumes a closed stream after its last event', () => {
  it('loses, duplicates and reorders nothing over 1,000 closes', async () => {
    await using server = await startResumableServer({ perConnection: 1, retryMs: 0 });
    server.ownCount = 50;
    await using bridge = await bridgeTo(server);
    const ids = upTo(20);
    bridge.send(...ids.map((id) => call(id, 50)));
    await Promise.all(ids.map((id) => bridge.answer(id)));
    await bridge.received.until(() => sequences(bridge, 'own').length === 50);
    for (const id of ids) {
      expect(sequences(bridge, `call-${id}`)).toEqual(upTo(50));
      expect(bridge.answersTo(id)).toBe(1);
    }
    expect(sequences(bridge, 'own')).toEqual(upTo(50));
    expect(server.calls.count()).toBe(20);
    expect(server.resumptions.count()).toBeGreaterThanOrEqual(1_000);
  });

  it('reconnects to a polling server that closed after its priming event, at the time it set', async () => {
    await using server = await startResumableServer({ perConnection: 1, retryMs: 700 });
    await using bridge = await bridgeTo(server);
    const started = performance.now();
    const { json } = await bridge.request(1, 'tools/call', { count: 1 });
    expect(json.result).toEqual({ done: 1 });
    expect(sequences(bridge, 'call-1')).toEqual([1]);
    const waits = server.resumptions.entries.map(
      ({ at }, n) => at - (server.resumptions.entries[n - 1]?.at ?? started),
    );
    expect(waits).toHaveLength(2);
    for (const wait of waits) expect(wait).toBeGreaterThan(650);
  });

  it.each([
    ['\n', false],
    ['\r\n', false],
    ['\r', false],
    ['\n', true],
  ] as const)(
    'cut at every offset (line end %j, reset %j): a whole response, or an error',
    async (lineEnd, reset) => {
      await using server = await startResumableServer({
        lineEnd,
        reset,
        cutAt: (id: number) => id,
        retryMs: 50,
      });
      await using bridge = await bridgeTo(server);
      const ids = upTo(STREAM_BYTES);
      bridge.send(...ids.map((id) => call(id, 1)));
      await Promise.all(ids.map((id) => bridge.answer(id)));
      const failed = ids.filter(
        (id) => bridge.received.count(({ json }) => json.id === id && json.error) === 1,
      );
      for (const id of ids) {
        expect(bridge.answersTo(id)).toBe(1);
        expect(sequences(bridge, `call-${id}`)).toEqual(failed.includes(id) ? [] : [1]);
      }
      // Where the primer was not whole there is nothing to take up, and only there.
      expect(failed).toEqual(upTo(failed.length));
      expect(failed.length).toBeGreaterThan(10);
      expect(failed.length).toBeLessThan(60);
      expect(server.calls.count()).toBe(STREAM_BYTES);
    },
  );
});
