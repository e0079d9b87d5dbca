import { describe, expect, it } from 'vitest';
import { composeEraBridge } from '../../peers/hosts/era-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/raw-mcp-server.ts';

describe('a server that is remembered as a modern one', () => {
  it('is a legacy one now, which answers what it does not know with a page: it is initialized', async () => {
    await using server = await startRawMcpServer();
    // All but `initialize` is answered with a page.
    const { bridge, eras } = await composeEraBridge(server.address('html'), { era: 'modern' });
    await using _ = bridge.read();
    const { json } = await bridge.initialize();
    expect(json.result.serverInfo.name).toBe('raw');
    expect(eras).toEqual(['legacy']);
  });
});
