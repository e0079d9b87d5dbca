import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { authorizedFetch } from 'mcp-drawbridge';
import { ASKING, once, serve } from './serve.mjs';

const url = new URL(process.env.MCP_URL);
const client = new Client({ name: 'sdk1-http', version: '1.0.0' });
const connected = once(() =>
  client.connect(new StreamableHTTPClientTransport(url, { fetch: authorizedFetch(url, ASKING) })),
);

await serve({
  call: async (value) => {
    await connected();
    return await client.callTool({ name: 'echo', arguments: { value } });
  },
  close: () => client.close(),
});
