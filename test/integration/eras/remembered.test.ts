import { describe, expect, it } from 'vitest';
import { composeBridge } from '../../peers/hosts/composed-bridge.ts';
import { startRawMcpServer } from '../../peers/mcp-servers/bare/raw-mcp-server.ts';

describe('a server that is remembered as a modern one', () => {
  it('is a legacy one now, which answers unknown methods with a page: it is initialized', async () => {
    await using server = await startRawMcpServer();
    // All but `initialize` is answered with a page.
    const bridge = await composeBridge(server.address('html'), { remembered: { era: 'modern' } });
    await using _ = bridge.read();
    const { json } = await bridge.initialize();
    expect(json.result.serverInfo.name).toBe('raw');
    expect(bridge.erasFound).toEqual(['legacy']);
  });
});
