import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { authorizedTransport } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const sdk = { StreamableHTTPClientTransport, SSEClientTransport };
const client = new Client({ name: 'sdk1-transport', version: '1.0.0' });
const connected = once(() => client.connect(authorizedTransport(process.env.MCP_URL, sdk, ASKING)));

await serve({
  call: async (value) => {
    await connected();
    return await client.callTool({ name: 'echo', arguments: { value } });
  },
  close: () => client.close(),
});
